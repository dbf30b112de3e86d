//! How somebody may be contacted, concerns, answers that somebody sees to, and forms that are not finished yet.

use alongside_app::desk::{DraftForm, FormOf};
use alongside_app::pages::words::{Urgency, sentence};
use alongside_app::pages::{ConcernLine, Concerns};
use alongside_app::{Desk, Failure, Invalid};
use alongside_domain::access::Action;
use alongside_domain::concern::{self, ConcernForm};
use alongside_domain::id::{ConcernId, PersonId, ReplyId};
use alongside_domain::safe_contact::{Channel, Hours, SafeContactForm};
use alongside_domain::supporter::StaffId;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::done::Done;
use super::forms::{Fields, Posted};
use super::parts::{Pick, Problems};
use super::routes::Needs::{May, SignedIn};
use super::routes::{Route, read, send};
use super::seat::Seat;
use super::templates::Frame;
use super::{Web, fill};

/// The addresses of these pages.
pub(crate) fn routes() -> Vec<Route> {
    use Action::{RaiseConcern, SeeConcerns, SeeTeamLists, SetSafeContact};
    vec![
        read("/people/{person}/safe-contact", May(SetSafeContact), safe_contact_form),
        send("/people/{person}/safe-contact", May(SetSafeContact), safe_contact),
        read("/people/{person}/concern", May(RaiseConcern), concern_form),
        send("/people/{person}/concern", May(RaiseConcern), concern),
        read("/concerns", May(SeeConcerns), first_concerns),
        read("/sites/{site}/concerns", May(SeeConcerns), concerns),
        send("/concerns/{concern}/acknowledge", May(SeeConcerns), acknowledge),
        send("/replies/{reply}/handled", May(SeeTeamLists), handled),
        // Which form may be kept is decided by the form.
        send("/drafts", SignedIn, draft),
    ]
}

#[derive(Template)]
#[template(path = "safe_contact.html")]
struct SafeContactPage {
    frame: Frame,
    problems: Problems,
    of: FormOf,
    form: SafeContactForm,
    channels: Vec<Pick>,
    hours: Vec<Pick>,
    voicemail: Vec<Pick>,
}

#[derive(Template)]
#[template(path = "concern.html")]
struct ConcernPage {
    frame: Frame,
    problems: Problems,
    of: FormOf,
    clinicians: Vec<Pick>,
    urgencies: Vec<Pick>,
    words: String,
    raised: Vec<ConcernLine>,
}

#[derive(Template)]
#[template(path = "concerns.html")]
struct ConcernsPage {
    frame: Frame,
    page: Concerns,
}

fn id(person: &str) -> Result<PersonId, Failure> {
    person.parse().map_err(|_| Failure::NotFound)
}

fn picks<'a, T: Copy + 'a>(
    all: impl IntoIterator<Item = &'a T>,
    code: impl Fn(T) -> &'static str,
    words: impl Fn(T) -> &'static str,
    is_chosen: impl Fn(T) -> bool,
) -> Vec<Pick> {
    let one = |one: &T| Pick { chosen: is_chosen(*one), ..Pick::new(code(*one), &sentence(words(*one)), "") };
    all.into_iter().map(one).collect()
}

impl SafeContactPage {
    fn new(frame: Frame, of: FormOf, form: SafeContactForm, problems: Vec<Invalid>) -> Self {
        let left = |value: bool, words: &str| Pick {
            chosen: form.voicemail == Some(value),
            ..Pick::new(if value { "yes" } else { "no" }, words, "")
        };
        Self {
            channels: picks(Channel::ALL, Channel::code, Channel::words, |one| form.channel == Some(one)),
            hours: picks(Hours::ALL, Hours::code, Hours::words, |one| form.hours.contains(&one)),
            voicemail: vec![left(true, "Yes, with the name below"), left(false, "No, never")],
            problems: Problems::new(problems),
            frame,
            of,
            form,
        }
    }
}

async fn safe_contact_form(State(web): State<Web>, seat: Seat, Path(person): Path<String>) -> Response {
    web.show(
        seat,
        move |desk| {
            let id = id(&person)?;
            let drafted = drafted(desk, id, DraftForm::SafeContact)?.map(|fields| safe_contact_of(&fields));
            let form = match drafted {
                Some(form) => form,
                None => desk.safe_contact(id)?.form,
            };
            Ok((desk.form_about(Action::SetSafeContact, id)?, form))
        },
        |(of, form), frame| fill(&SafeContactPage::new(frame, of, form, Vec::new())),
    )
    .await
}

async fn safe_contact(State(web): State<Web>, seat: Seat, Path(person): Path<String>, Posted(fields): Posted) -> Response {
    let (asked, form) = (person.clone(), safe_contact_of(&fields));
    let entered = form.clone();
    web.carry_out(
        seat,
        move |desk| {
            desk.set_safe_contact(id(&asked)?, &form)?;
            Ok((format!("/people/{asked}"), Done::SafeContactKept))
        },
        move |desk, problems, frame| {
            let of = desk.form_about(Action::SetSafeContact, id(&person)?)?;
            fill(&SafeContactPage::new(frame, of, entered, problems))
        },
    )
    .await
}

fn safe_contact_of(fields: &Fields) -> SafeContactForm {
    SafeContactForm {
        channel: Channel::from_code(fields.text("channel")),
        hours: fields.all("hours").filter_map(Hours::from_code).collect(),
        hours_words: fields.text("hours_words").to_owned(),
        who_may_answer: fields.text("who_may_answer").to_owned(),
        voicemail: match fields.text("voicemail") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        name_to_say: fields.text("name_to_say").to_owned(),
        notes: fields.text("notes").to_owned(),
    }
}

impl ConcernPage {
    fn ask(desk: &Desk, frame: Frame, person: PersonId, fields: &Fields, problems: Vec<Invalid>) -> Result<Self, Failure> {
        let (to, urgency) = (fields.text("to"), concern::Urgency::from_code(fields.text("urgency")));
        let mut clinicians = vec![Pick::new("", "Choose a clinician", to)];
        clinicians.extend(desk.concern_goes_to(person)?.iter().map(|(key, name)| Pick::new(key, name, to)));
        Ok(Self {
            of: desk.form_about(Action::RaiseConcern, person)?,
            raised: desk.concerns_of(person)?,
            urgencies: picks(concern::Urgency::ALL, concern::Urgency::code, concern::Urgency::words, |one| urgency == Some(one)),
            words: fields.text("words").to_owned(),
            problems: Problems::new(problems),
            clinicians,
            frame,
        })
    }
}

async fn concern_form(State(web): State<Web>, seat: Seat, Path(person): Path<String>) -> Response {
    let frame = Frame::of(&web, &seat);
    web.answer(seat, move |desk| {
        let id = id(&person)?;
        let entered = drafted(desk, id, DraftForm::Concern)?.unwrap_or_default();
        let page = ConcernPage::ask(desk, frame, id, &entered, Vec::new())?;
        super::page(StatusCode::OK, fill(&page))
    })
    .await
}

async fn concern(State(web): State<Web>, seat: Seat, Path(person): Path<String>, Posted(fields): Posted) -> Response {
    let (asked, entered) = (person.clone(), fields.clone());
    web.carry_out(
        seat,
        move |desk| {
            let form = ConcernForm {
                words: fields.text("words").to_owned(),
                urgency: concern::Urgency::from_code(fields.text("urgency")),
                to: fields.filled("to").map(|to| StaffId(to.to_owned())),
            };
            desk.raise_concern(id(&asked)?, &form, fields.text("once"))?;
            Ok((format!("/people/{asked}"), Done::ConcernRaised))
        },
        move |desk, problems, frame| fill(&ConcernPage::ask(desk, frame, id(&person)?, &entered, problems)?),
    )
    .await
}

/// Leads to the concerns of the first site.
async fn first_concerns(State(web): State<Web>, seat: Seat) -> Response {
    web.answer(seat, |desk| {
        let first = desk.sites(Action::SeeConcerns).next().ok_or(Failure::NotFound)?;
        Ok(Redirect::to(&format!("/sites/{}/concerns", first.key)).into_response())
    })
    .await
}

async fn concerns(State(web): State<Web>, seat: Seat, Path(site): Path<String>) -> Response {
    web.show(seat, move |desk| desk.concerns_page(&site), |page, frame| fill(&ConcernsPage { frame, page })).await
}

async fn acknowledge(State(web): State<Web>, seat: Seat, Path(concern): Path<String>, Posted(fields): Posted) -> Response {
    web.answer(seat, move |desk| {
        let id: ConcernId = concern.parse().map_err(|_| Failure::NotFound)?;
        let site = desk.acknowledge(id, fields.text("words"))?;
        Ok(super::lead_to(&format!("/sites/{site}/concerns"), Done::ConcernAcknowledged))
    })
    .await
}

async fn handled(State(web): State<Web>, seat: Seat, Path(reply): Path<String>, Posted(_): Posted) -> Response {
    web.answer(seat, move |desk| {
        let id: ReplyId = reply.parse().map_err(|_| Failure::NotFound)?;
        desk.handle_reply(id)?;
        Ok(super::lead_to("/", Done::Saved))
    })
    .await
}

/// Keeps what was entered so far. The field `form` says which: `contact:per_…`.
async fn draft(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    web.answer(seat, move |desk| {
        let (form, person) = fields.text("form").split_once(':').ok_or(Failure::NotFound)?;
        let form = DraftForm::from_code(form).ok_or(Failure::NotFound)?;
        desk.save_draft(id(person)?, form, fields.text("body"))?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// What was entered before, where it was not sent.
pub(super) fn drafted(desk: &Desk, person: PersonId, form: DraftForm) -> Result<Option<Fields>, Failure> {
    Ok(desk.draft(person, form)?.map(|body| Fields::from_text(&body)))
}

#[cfg(test)]
pub(crate) fn samples(frame: &Frame) -> Vec<(String, String)> {
    use super::samples::NAME;

    let of = || FormOf {
        person: "per_00000000000000000000000000000001".into(),
        name: NAME.into(),
        today: jiff::civil::date(2025, 1, 6),
        once: "1".into(),
    };
    let wrong = |place: &str| vec![Invalid::new(place, "Choose one")];
    let line = |urgency, acknowledged: Option<&str>| ConcernLine {
        id: "cnc_00000000000000000000000000000001".into(),
        href: "/people/per_00000000000000000000000000000001".into(),
        name: NAME.into(),
        age: "aged 34".into(),
        words: "Not answering since Friday".into(),
        raised: "Inês, 6 January 2025, 8:30am".into(),
        to: "Aoife Brennan".into(),
        to_me: true,
        due: "by 6 January 2025, 9:30am".into(),
        urgency,
        acknowledged: acknowledged.map(str::to_owned),
        answer: "I have called".into(),
    };
    let safe = |problems| SafeContactPage::new(frame.clone(), of(), SafeContactForm::default(), problems);
    let concern = |problems| ConcernPage {
        frame: frame.clone(),
        problems: Problems::new(problems),
        of: of(),
        clinicians: vec![Pick::new("a", "Aoife Brennan", "a")],
        urgencies: vec![Pick::new("today", "Today", "")],
        words: String::new(),
        raised: vec![line(Urgency::Soon, None), line(Urgency::Calm, Some("Aoife"))],
    };
    let list = |open: Vec<ConcernLine>| {
        let settled = open.iter().map(|_| line(Urgency::Calm, Some("Aoife Brennan, 6 January 2025"))).collect();
        let (site, site_title) = ("west".into(), "Chelsea and Westminster".into());
        let page = Concerns { site, site_title, open, overdue: 1, settled, may_acknowledge: true };
        fill(&ConcernsPage { frame: frame.clone(), page }).unwrap()
    };
    let two = || {
        let mut second = line(Urgency::Calm, None);
        second.id = "cnc_00000000000000000000000000000002".into();
        vec![line(Urgency::Late, None), second]
    };
    vec![
        ("safe contact".into(), fill(&safe(Vec::new())).unwrap()),
        ("safe contact, wrong".into(), fill(&safe(wrong("channel"))).unwrap()),
        ("concern".into(), fill(&concern(Vec::new())).unwrap()),
        ("concern, wrong".into(), fill(&concern(wrong("to"))).unwrap()),
        ("concerns".into(), list(two())),
        ("concerns, none".into(), list(Vec::new())),
    ]
}
