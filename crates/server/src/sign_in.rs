//! Proving who somebody is: password and one-time code, or a passkey. Pages call these; what is kept is in `app::accounts`.

pub(crate) mod passkey;
pub(crate) mod password;
pub(crate) mod throttle;
pub(crate) mod totp;
pub(crate) mod waiting;

use alongside_app::App;
use alongside_domain::supporter::StaffId;

use passkey::Passkeys;
use password::Passwords;
use throttle::Throttle;
use totp::Shared;
use waiting::Waiting;

/// Minutes for which the key of one-time codes waits that an invitation's page shows: until an app is found and installed.
const ENROLMENT_MINUTES: i64 = 60;

/// What waits while people sign in, and what counts how often they try. In memory alone; the program has one.
pub(crate) struct SignIn {
    /// Counts tries.
    pub(crate) throttle: Throttle,
    /// Hashes and compares passwords.
    pub(crate) passwords: Passwords,
    /// Whoever gave the right password and owes the code, by the value of a cookie.
    pub(crate) halves: Waiting<StaffId>,
    /// The keys of one-time codes that invitations' pages show, by a hidden field.
    pub(crate) enrolments: Waiting<Shared>,
    /// Passkeys; none where pages are found at an address in numbers.
    pub(crate) passkeys: Option<Passkeys>,
}

impl SignIn {
    /// Nobody is signing in yet.
    pub(crate) fn new(app: &App) -> Self {
        Self {
            throttle: Throttle::new(&app.world),
            passwords: Passwords::default(),
            halves: Waiting::default(),
            enrolments: Waiting::of_minutes(ENROLMENT_MINUTES),
            passkeys: Passkeys::new(&app.setup.origin()),
        }
    }
}
