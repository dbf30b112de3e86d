//! Sign-in, invitations and accounts over a real socket, of a service that is no demo.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use alongside_app::accounts::{self, INVITATION_HOURS};
use alongside_app::testing::FixedWorld;
use alongside_domain::session::AccountAct;
use alongside_store::page_reads::Slice;
use alongside_store::testing::TestDatabase;
use alongside_store::{Engine, Store, audit};
use jiff::{SignedDuration, Timestamp};

use super::super::seat::COOKIE;
use super::super::{Options, router};
use super::*;

const NURSE: &str = "nurse-aoife";
const PASSWORD: &str = "marmalade tram lantern";

struct Service {
    address: SocketAddr,
    app: App,
    world: Arc<FixedWorld>,
    _runtime: tokio::runtime::Runtime,
    _database: TestDatabase,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// The cookies that it gives, as a browser sends them back.
    fn cookies(&self) -> String {
        let given = self.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        given.filter(|cookie| !cookie.contains("Max-Age=0")).filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
    }

    fn leads_to(&self) -> &str {
        self.head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or_default()
    }

    fn between(&self, before: &str, after: &str) -> &str {
        self.body.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map_or("", |(value, _)| value)
    }
}

impl Service {
    fn open(demo: bool) -> Self {
        let database = TestDatabase::new(Engine::Sqlite);
        let world = FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap());
        let app = alongside_app::testing::app(Store::open(database.url()).unwrap(), Arc::clone(&world));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let pages = router(app.clone(), Options { demo, ..Options::default() });
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, pages).await });
        Self { address, app, world, _runtime: runtime, _database: database }
    }

    fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Answer { status: head.split(' ').nth(1).unwrap().parse().unwrap(), head: head.to_owned(), body: body.to_owned() }
    }

    fn get(&self, address: &str, cookies: &str) -> Answer {
        self.send(&format!("GET {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookies}\r\n\r\n"))
    }

    fn post_with(&self, address: &str, cookies: &str, header: &str, form: &str) -> Answer {
        let length = form.len();
        self.send(&format!(
            "POST {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookies}\r\n{header}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        ))
    }

    fn post(&self, address: &str, cookies: &str, form: &str) -> Answer {
        self.post_with(address, cookies, "", form)
    }

    /// What every form of a session carries.
    fn token(&self, cookies: &str) -> String {
        accounts::form_token(cookies.split_once('=').unwrap().1)
    }

    fn later(&self, minutes: i64) {
        self.world.set(self.app.world.now() + SignedDuration::from_mins(minutes));
    }

    fn invite(&self, who: &str) -> String {
        format!("/invitation/{}", self.app.invite(&StaffId(who.into()), "operator").unwrap().reveal())
    }

    /// Takes an invitation up; the cookie of the session, and what the authenticator app holds.
    fn enrol(&self, who: &str) -> (String, Shared) {
        let link = self.invite(who);
        let page = self.get(&link, "");
        assert_eq!(page.status, 200, "{}", page.body);
        let app = Shared::read(&page.between("class=\"as-key\">", "<").replace(' ', "")).unwrap();
        let enrolment = page.between("name=\"enrolment\" value=\"", "\"");
        let code = app.code_at(self.app.world.now());
        let done = self.post(&link, "", &format!("enrolment={enrolment}&password={}&code={code}", PASSWORD.replace(' ', "+")));
        assert_eq!((done.status, done.leads_to()), (303, "/"), "{}", done.body);
        (done.cookies(), app)
    }

    fn password(&self, name: &str, password: &str) -> Answer {
        self.post("/sign-in/password", "", &format!("name={name}&password={}", password.replace(' ', "+")))
    }

    fn now(&self) -> Timestamp {
        self.app.world.now()
    }

    /// The details of the lines that the audit has of such an act, oldest first.
    fn told(&self, act: AccountAct) -> Vec<String> {
        let slice = Slice { most: 100, skip: 0 };
        let lines = self.app.store.read(|tx| audit::by_action(tx, act.code(), slice)).unwrap();
        lines.into_iter().rev().filter_map(|line| line.detail).collect()
    }
}

#[test]
fn password_and_code_open_a_session_and_neither_does_alone() {
    let service = Service::open(false);
    let (first, app) = service.enrol(NURSE);
    assert_eq!(service.get("/account", &first).status, 200);
    service.later(1);
    let half = service.password(NURSE, PASSWORD);
    assert_eq!((half.status, half.leads_to()), (303, CODE));
    let half = half.cookies();
    assert!(half.starts_with(HALF) && !half.contains(&format!("{COOKIE}=")));
    assert_eq!(service.get("/account", &half).leads_to(), SIGN_IN);
    assert_eq!(service.get(CODE, &half).status, 200);
    let code = app.code_at(service.now());
    assert_eq!(service.post(CODE, "", &format!("code={code}")).leads_to(), SIGN_IN, "without the password");
    assert_eq!(service.post(CODE, &half, "code=").status, 422);
    // The browser was signed in before: that session ends.
    let entered = service.post(CODE, &format!("{half}; {first}"), &format!("code={code}"));
    assert_eq!((entered.status, entered.leads_to()), (303, "/"));
    let session = entered.cookies();
    assert_eq!(service.get("/account", &session).status, 200);
    assert_eq!(service.get("/account", &first).leads_to(), SIGN_IN);
    assert_eq!(service.post(CODE, &half, &format!("code={code}")).leads_to(), SIGN_IN, "the half is used up");
    assert_eq!(service.told(AccountAct::SignIn), ["password+totp", "password+totp"]);
}

#[test]
fn a_code_is_good_for_once_and_a_half_for_a_few_minutes() {
    let service = Service::open(false);
    let (_, app) = service.enrol(NURSE);
    let half = service.password(NURSE, PASSWORD).cookies();
    let used = service.post(CODE, &half, &format!("code={}", app.code_at(service.now())));
    assert!(used.status == 422 && used.body.contains(CODE_REFUSED));
    let wrong = service.post(CODE, &half, "code=12345");
    assert_eq!(wrong.body, used.body, "which it was is told to nobody");
    service.later(WAITING_MINUTES);
    assert_eq!(service.get(CODE, &half).leads_to(), SIGN_IN);
    assert_eq!(service.post(CODE, &half, &format!("code={}", app.code_at(service.now()))).leads_to(), SIGN_IN);
    assert_eq!(service.told(AccountAct::SignIn)[1..], ["code-used", "code-wrong"]);
}

#[test]
fn a_name_that_is_nobodys_a_wrong_password_and_somebody_suspended_get_one_answer() {
    let service = Service::open(false);
    service.enrol(NURSE);
    service.enrol("ines");
    service.app.suspend(&StaffId("ines".into())).unwrap();
    let answer = |name: &str, password: &str| {
        let answer = service.password(name, password);
        (answer.status, answer.body.replace(name, ""))
    };
    let wrong = answer(NURSE, "not her password");
    assert!(wrong.0 == 422 && wrong.1.contains(REFUSED) && !wrong.1.contains("not her password"));
    assert_eq!(answer("nobody-at-all", PASSWORD), wrong);
    assert_eq!(answer("ines", PASSWORD), wrong, "suspended");
    assert_eq!(answer("consultant-hughes", PASSWORD), wrong, "never invited");
    assert_eq!(service.told(AccountAct::SignIn)[2..], ["password-wrong", "unknown-name", "password-wrong", "password-wrong"]);
    assert_eq!(service.password("Nurse-Aoife", PASSWORD).status, 303, "as a telephone writes it");
    assert_eq!(service.password(NURSE, &format!(" {PASSWORD}")).status, 422, "a password is what was typed");
}

#[test]
fn whoever_tries_often_waits_and_it_is_written_down_once() {
    let service = Service::open(false);
    service.enrol(NURSE);
    for name in [NURSE, "nobody-at-all"] {
        let statuses: Vec<u16> = (0..8).map(|_| service.password(name, "a guess").status).collect();
        assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429, 429], "{name}");
    }
    let wait = service.password(NURSE, PASSWORD);
    assert!(wait.status == 429 && wait.head.contains("retry-after: 60") && wait.body.contains("Wait 60 seconds"), "{}", wait.head);
    assert_eq!(service.told(AccountAct::SignIn).iter().filter(|detail| *detail == "too-many-tries").count(), 2);
    service.later(1);
    assert_eq!(service.password(NURSE, PASSWORD).status, 303);
}

#[test]
fn an_invitation_that_is_old_used_or_never_was_gets_one_answer() {
    let service = Service::open(false);
    let old = service.invite("ines");
    service.later(INVITATION_HOURS * 60);
    let used = service.invite(NURSE);
    let page = service.get(&used, "");
    let enrolment = page.between("name=\"enrolment\" value=\"", "\"").to_owned();
    assert!(page.body.contains("<svg") && !page.body.contains("style="));
    let refused = service.post(&used, "", &format!("enrolment={enrolment}&password=short&code=1"));
    assert_eq!((refused.status, refused.between("name=\"enrolment\" value=\"", "\"")), (422, enrolment.as_str()));
    let app = Shared::read(&page.between("class=\"as-key\">", "<").replace(' ', "")).unwrap();
    let form = format!("enrolment={enrolment}&password=marmalade+tram+lantern&code={}", app.code_at(service.now()));
    assert_eq!(service.post(&used, "", &form).status, 303);
    let never = service.get(&format!("/invitation/{}", "0".repeat(64)), "");
    assert_eq!(never.status, 404);
    for link in [&old, &used, "/invitation/x"] {
        let (read, sent) = (service.get(link, ""), service.post(link, "", &form));
        assert_eq!((read.status, &read.body, sent.status, &sent.body), (404, &never.body, 404, &never.body), "{link}");
    }
}

#[test]
fn the_key_of_codes_is_the_services_and_not_one_that_was_sent() {
    let service = Service::open(false);
    let link = service.invite(NURSE);
    let own = Shared::new([1; 32]).unwrap();
    let form = format!("enrolment={}&password=marmalade+tram+lantern&code={}", own.to_text(), own.code_at(service.now()));
    let answer = service.post(&link, "", &form);
    assert!(answer.status == 422 && answer.body.contains("open for too long"));
    service.get(&link, "");
    service.later(60);
    assert_eq!(service.post(&link, "", &form).status, 422);
}

#[test]
fn forms_of_other_sites_and_forms_without_their_token_change_nothing() {
    let service = Service::open(false);
    let (cookies, _) = service.enrol(NURSE);
    let form = "name=nurse-aoife&password=marmalade+tram+lantern";
    for header in ["Sec-Fetch-Site: cross-site\r\n", "Origin: https://elsewhere.example\r\n"] {
        assert_eq!(service.post_with("/sign-in/password", "", header, form).status, 403, "{header}");
    }
    for address in ["sessions/end", "sessions/end-others", "password", "passkeys/ask", "passkeys", "passkeys/remove"] {
        let address = format!("/account/{address}");
        assert_eq!(service.post(&address, &cookies, "token=guessed").status, 403, "{address}");
        assert_eq!(service.post(&address, "", "token=guessed").status, 401, "{address}");
    }
}

#[test]
fn somebody_ends_their_sessions_and_another_persons_are_not_there() {
    let service = Service::open(false);
    let (mine, _) = service.enrol(NURSE);
    let (theirs, _) = service.enrol("ines");
    let digest = |cookies: &str| service.app.session(cookies.split_once('=').unwrap().1).unwrap().unwrap().digest;
    let end = |session: &str| service.post("/account/sessions/end", &mine, &format!("token={}&session={session}", service.token(&mine)));
    let (foreign, unknown) = (end(&digest(&theirs)), end("0"));
    assert_eq!((foreign.status, &foreign.body), (404, &unknown.body));
    assert_eq!(service.get("/account", &theirs).status, 200);
    let other = service.app.open_session(&StaffId(NURSE.into()), Method::Passkey).unwrap();
    let other = format!("{COOKIE}={}", other.reveal());
    assert_eq!(end(&digest(&other)).leads_to(), "/account?done=session-ended");
    assert_eq!(service.get("/account", &other).leads_to(), SIGN_IN);
}

#[test]
fn a_browser_that_sends_two_sessions_is_in_by_the_one_that_holds_and_out_of_both_when_it_leaves() {
    let service = Service::open(false);
    let open = |who: &str| {
        let token = service.app.open_session(&StaffId(who.into()), Method::Passkey).unwrap();
        (format!("{COOKIE}={}", token.reveal()), accounts::form_token(token.reveal()))
    };
    let ((mine, token), (other, _)) = (open(NURSE), open("ines"));
    let both = format!("{COOKIE}=0123; {mine}; {other}");
    assert!(service.get("/account", &both).body.contains(NURSE));
    assert_eq!(service.post("/sign-out", &both, &format!("token={token}")).leads_to(), SIGN_IN);
    for left in [&mine, &other] {
        assert_eq!(service.get("/account", left).leads_to(), SIGN_IN);
    }
}

#[test]
fn in_a_frame_nobody_types_a_password() {
    let service = Service::open(false);
    let (mine, _) = service.enrol(NURSE);
    let asked =
        format!("GET /account HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {mine}\r\nSec-Fetch-Dest: iframe\r\n\r\n");
    let page = service.send(&asked);
    assert!(page.status == 200 && !page.body.contains("type=\"password\"") && !page.body.contains("data-way=\"create\""));
    assert!(service.get("/account", &mine).body.contains("type=\"password\""));
    let form = format!("token={}&current={}&password=otter+violin+seventeen", service.token(&mine), PASSWORD.replace(' ', "+"));
    assert_eq!(service.post_with("/account/password", &mine, "Sec-Fetch-Dest: iframe\r\n", &form).status, 403);
}

#[test]
fn another_password_needs_the_one_before_which_cannot_be_found_by_trying() {
    let service = Service::open(false);
    let (mine, _) = service.enrol(NURSE);
    let change = |current: &str, password: &str| {
        service.post("/account/password", &mine, &format!("token={}&current={current}&password={password}", service.token(&mine)))
    };
    let wrong = change("a+guess", "otter+violin+seventeen");
    assert!(wrong.status == 422 && wrong.body.contains("This is not your current password"));
    assert!(service.told(AccountAct::ChangePassword) == ["password-wrong"]);
    assert!(change("marmalade+tram+lantern", "short").body.contains("12 characters or more"));
    assert_eq!(change("marmalade+tram+lantern", "otter+violin+seventeen").leads_to(), "/account?done=password-changed");
    assert_eq!(service.password(NURSE, PASSWORD).status, 422);
    assert_eq!(service.password(NURSE, "otter violin seventeen").status, 303);
    assert_eq!(change("a+guess", "x").status, 429);
}

#[test]
fn a_passkey_is_asked_for_by_a_challenge_and_added_only_soon_after_sign_in() {
    let service = Service::open(false);
    let asked = service.post("/sign-in/passkey/ask", "", "");
    assert!(asked.head.contains("application/json") && asked.body.contains("\"challenge\""), "{}", asked.body);
    let refused = service.post("/sign-in/passkey", "", "answer=%7B%7D");
    assert!(refused.status == 422 && refused.body.contains(NO_PASSKEY));
    let (mine, _) = service.enrol(NURSE);
    let form = format!("token={}", service.token(&mine));
    assert!(service.post("/account/passkeys/ask", &mine, &form).body.contains("\"pubKeyCredParams\""));
    assert_eq!(service.post("/account/passkeys", &mine, &format!("{form}&answer=x")).status, 422);
    assert_eq!(service.post("/account/passkeys/remove", &mine, &format!("{form}&passkey=x")).status, 404);
    service.later(15);
    assert_eq!(service.post("/account/passkeys/ask", &mine, &form).status, 422);
    assert!(service.get("/account", &mine).body.contains("sign in again with your password or a passkey first"));
}

#[test]
fn the_demo_has_cards_in_place_of_a_password_and_nothing_else_has_them() {
    let demo = Service::open(true);
    assert!(demo.get(SIGN_IN, "").body.contains("/demo/sign-in"));
    let service = Service::open(false);
    let page = service.get(SIGN_IN, "").body;
    assert!(page.contains("/sign-in/password") && !page.contains("/demo/") && !page.contains(NURSE));
    assert_eq!(service.post("/demo/sign-in", "", "who=nurse-aoife").status, 404);
}

#[test]
fn who_asks_is_the_last_of_whom_the_one_before_us_tells() {
    let of = |lines: &[&'static str]| {
        address(&lines.iter().map(|line| ("x-forwarded-for".parse().unwrap(), axum::http::HeaderValue::from_static(line))).collect())
    };
    assert_eq!(of(&[]), "here");
    assert_eq!(of(&["192.0.2.1"]), "192.0.2.1");
    assert_eq!(of(&["198.51.100.7, 192.0.2.1"]), "192.0.2.1");
    assert_eq!(of(&["198.51.100.7", "203.0.113.9,192.0.2.1 "]), "192.0.2.1");
    assert_eq!(of(&["192.0.2.1, "]), "here");
    assert_eq!(of(&["2001:db8:1:2:3:4:5:6"]), of(&["2001:db8:1:2::9"]), "they are one household's");
}
