//! Sessions of staff: how somebody proved who they are, and how long that proof holds.

use jiff::{SignedDuration, Timestamp};

use crate::coded;
use crate::supporter::StaffId;

coded! {
    /// How somebody proved who they are.
    pub enum Method {
        PasswordAndCode = "password+totp", "password and code";
        Passkey = "passkey", "passkey";
        OpenIdConnect = "openid-connect", "organisation account";
        /// A link that the hospital's record signed.
        RecordLink = "record-link", "a link from the hospital’s record";
        /// One click, in the demo alone.
        Demo = "demo", "demo";
    }
}

coded! {
    /// Why a session ended.
    pub enum Ended {
        SignedOut = "signed-out", "signed out";
        /// Nothing was done in it for too long.
        Idle = "idle", "not used for a while";
        /// It lasted as long as one may.
        Expired = "expired", "lasted as long as it may";
        /// Its owner ended it from another one.
        EndedByOwner = "ended-by-owner", "ended from another session";
        /// An operator ended it.
        EndedByOperator = "ended-by-operator", "ended by an operator";
        EndedByGovernance = "ended-by-governance", "ended by information governance";
        Suspended = "suspended", "account suspended";
        /// Password, code or passkey were set anew.
        Renewed = "renewed", "sign-in set up anew";
        /// The organisation whose account it was said so (back-channel logout).
        EndedByIssuer = "ended-by-issuer", "ended by the organisation";
    }
}

coded! {
    /// What is written into the audit of sign-in and of accounts, beside the actions of [`crate::access::Action`]. The detail
    /// of an operator's line is the key of whoever it is about.
    pub enum AccountAct {
        SignIn = "sign-in", "sign in";
        Invite = "invite", "invite somebody to sign in";
        AcceptInvitation = "accept-invitation", "choose how to sign in";
        Suspend = "suspend-account", "suspend somebody";
        Reinstate = "reinstate-account", "let somebody in again";
        EndSessions = "end-sessions", "end sessions";
        ChangePassword = "change-password", "choose another password";
        AddPasskey = "add-passkey", "add a passkey";
        RemovePasskey = "remove-passkey", "remove a passkey";
    }
}

coded! {
    /// Why somebody was not signed in: the detail of a refused line of the audit. Never what they typed, and never told to them.
    pub enum NotSignedIn {
        /// Nobody of the name that was given works here. Whoever it was is nobody of ours.
        UnknownName = "unknown-name", "nobody of this name";
        PasswordWrong = "password-wrong", "wrong password";
        CodeWrong = "code-wrong", "wrong code";
        CodeUsed = "code-used", "a code that was used before";
        PasskeyWrong = "passkey-wrong", "a passkey that proved nothing";
        /// An account elsewhere that is nobody's here. Which it is, is not kept.
        NotLinked = "not-linked", "an account elsewhere that is nobody's here";
        /// A link that a hospital's record signed, and that was used before.
        LinkUsed = "link-used", "a link that was used before";
        NotOpen = "not-open", "suspended, or not configured any more";
        /// Written down once for a row of tries that were not given.
        TooManyTries = "too-many-tries", "too many tries";
    }
}

/// How long a session lasts. OWASP ASVS 5.0 7.3.1 and 7.3.2 ask for both limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Minutes without a request after which it ends.
    pub idle_minutes: u16,
    /// Hours after sign-in at which it ends, however busy.
    pub absolute_hours: u16,
}

impl Limits {
    /// Least and most for [`Limits::idle_minutes`].
    pub const IDLE_MINUTES: (u16, u16) = (5, 60);
    /// Least and most for [`Limits::absolute_hours`].
    pub const ABSOLUTE_HOURS: (u16, u16) = (1, 24);
}

impl Default for Limits {
    /// Half an hour, and a long working day.
    fn default() -> Self {
        Self { idle_minutes: 30, absolute_hours: 12 }
    }
}

/// A session that was not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of its token in hexadecimal: its name here, useless to whoever would take it over.
    pub digest: String,
    /// Whose.
    pub staff: StaffId,
    /// How they proved who they are.
    pub method: Method,
    /// When they did.
    pub created_at: Timestamp,
    /// The last request, to the minute.
    pub seen_at: Timestamp,
}

impl Session {
    /// Seconds between two notes of when a session was last used: an exact time would be a write for each request.
    pub const TOUCH_SECONDS: i64 = 60;
    /// Minutes after sign-in within which a way to sign in may be added or changed: what somebody finds open on a desk must not
    /// become a key of theirs (OWASP ASVS 5.0 7.5.1).
    pub const FRESH_MINUTES: i64 = 15;

    /// Whether it still holds at an instant.
    ///
    /// # Errors
    /// Why it does not.
    pub fn holds(&self, now: Timestamp, limits: Limits) -> Result<(), Ended> {
        if now.duration_since(self.created_at) >= SignedDuration::from_hours(i64::from(limits.absolute_hours)) {
            return Err(Ended::Expired);
        }
        if now.duration_since(self.seen_at) >= SignedDuration::from_mins(i64::from(limits.idle_minutes)) {
            return Err(Ended::Idle);
        }
        Ok(())
    }

    /// Whether its owner proved only just now, and to this program itself, who they are. What another one said of them, such as a
    /// hospital's record that is open on a shared desk, lets them in and becomes no key that outlasts it.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let proved_here = match self.method {
            Method::PasswordAndCode | Method::Passkey => true,
            Method::OpenIdConnect | Method::RecordLink | Method::Demo => false,
        };
        proved_here && now.duration_since(self.created_at) < SignedDuration::from_mins(Self::FRESH_MINUTES)
    }

    /// Whether the last request is long enough ago to be noted anew.
    #[must_use]
    pub fn is_to_be_touched(&self, now: Timestamp) -> bool {
        now.duration_since(self.seen_at) >= SignedDuration::from_secs(Self::TOUCH_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_or_old_whichever_comes_first() {
        let at = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let session = |seen: i64| Session {
            digest: String::new(),
            staff: StaffId("ada".into()),
            method: Method::Passkey,
            created_at: at(0),
            seen_at: at(seen),
        };
        for (seen, now, expected) in [
            (0, 0, Ok(())),
            (0, 29, Ok(())),
            (0, 30, Err(Ended::Idle)),
            (700, 719, Ok(())),
            (719, 720, Err(Ended::Expired)),
            (0, 2000, Err(Ended::Expired)),
        ] {
            assert_eq!(session(seen).holds(at(now), Limits::default()), expected, "seen {seen}, now {now}");
        }
    }

    #[test]
    fn its_use_is_noted_once_a_minute() {
        let second = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        let (created_at, seen_at) = (second(0), second(100));
        let session = Session { digest: String::new(), staff: StaffId("ada".into()), method: Method::Passkey, created_at, seen_at };
        assert!(!session.is_to_be_touched(second(159)));
        assert!(session.is_to_be_touched(second(160)));
        assert!(session.is_fresh(second(899)) && !session.is_fresh(second(900)));
        for method in [Method::OpenIdConnect, Method::RecordLink, Method::Demo] {
            assert!(!Session { method, ..session.clone() }.is_fresh(second(0)), "{method}");
        }
    }
}
