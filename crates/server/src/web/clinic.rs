//! The clinic's pages: its day, what is done to a person, questions, the weekly list, closed records.

use alongside_app::desk::{ListPreview, NewPerson};
use alongside_app::pages::words::Urgency;
use alongside_app::pages::{ClinicPage, Found, Head, OpenGlass, QuestionPage, QuestionsPage, Task, TaskPage};
use alongside_app::{Desk, Failure, Invalid};
use alongside_domain::access::Action;
use alongside_domain::id::{PersonId, QuestionId};
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::notice::{Answer as Told, How};
use alongside_domain::person::{ObjectionReason, Scope};
use alongside_domain::question::Answer;
use alongside_domain::referral::EndReason;
use alongside_domain::trigger;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;

use super::done::Done;
use super::forms::{Day, Fields, Posted, PostedFile};
use super::parts::{Pick, Problems};
use super::routes::{Needs, Route, read, send, send_large};
use super::seat::Seat;
use super::templates::Frame;
use super::{Web, fill, lead_to, page};

/// The largest list: 5 MiB, far more than a clinic has.
const LIST_BYTES_MAX: usize = 5 * 1024 * 1024;

/// The addresses of this room.
pub(crate) fn routes() -> Vec<Route> {
    use Action::{
        AnswerQuestion, BreakGlass, Defer, EndReferral, RecordNotice, RecordObjection, Refer, SeeClinicLists, SeeQuestions, UploadList,
    };
    use Needs::May;
    vec![
        read("/clinic", May(SeeClinicLists), clinic),
        read("/clinic/refer", May(Refer), refer_form),
        send("/clinic/refer", May(Refer), refer_search),
        send("/clinic/refer/new", May(Refer), refer_new),
        read("/clinic/refer/opened/{number}", May(Refer), refer_opened),
        read("/clinic/list", May(UploadList), list_form),
        send_large("/clinic/list", May(UploadList), LIST_BYTES_MAX, list_preview),
        send("/clinic/list/take", May(UploadList), list_take),
        read("/questions", May(SeeQuestions), questions),
        read("/questions/{question}", May(AnswerQuestion), question),
        send("/questions/{question}", May(AnswerQuestion), answer),
        read("/break-glass", May(BreakGlass), glass_form),
        send("/break-glass", May(BreakGlass), glass),
        read("/people/{person}/notice", May(RecordNotice), |web, seat, person| task_form(web, seat, person, Task::Notice)),
        send("/people/{person}/notice", May(RecordNotice), |web, seat, person, form| task(web, seat, person, form, Task::Notice)),
        read("/people/{person}/refer", May(Refer), |web, seat, person| task_form(web, seat, person, Task::Refer)),
        send("/people/{person}/refer", May(Refer), |web, seat, person, form| task(web, seat, person, form, Task::Refer)),
        read("/people/{person}/defer", May(Defer), |web, seat, person| task_form(web, seat, person, Task::Defer)),
        send("/people/{person}/defer", May(Defer), |web, seat, person, form| task(web, seat, person, form, Task::Defer)),
        read("/people/{person}/objection", May(RecordObjection), |web, seat, person| task_form(web, seat, person, Task::Objection)),
        send("/people/{person}/objection", May(RecordObjection), |web, seat, person, form| task(web, seat, person, form, Task::Objection)),
        read("/people/{person}/objection-taken-back", May(RecordObjection), |web, seat, person| {
            task_form(web, seat, person, Task::TakeBack)
        }),
        send("/people/{person}/objection-taken-back", May(RecordObjection), |web, seat, person, form| {
            task(web, seat, person, form, Task::TakeBack)
        }),
        read("/people/{person}/end", May(EndReferral), |web, seat, person| task_form(web, seat, person, Task::End)),
        send("/people/{person}/end", May(EndReferral), |web, seat, person, form| task(web, seat, person, form, Task::End)),
    ]
}

#[derive(Template)]
#[template(path = "clinic.html")]
struct ClinicSheet {
    frame: Frame,
    page: ClinicPage,
}

#[derive(Template)]
#[template(path = "clinic_task.html")]
struct TaskSheet {
    frame: Frame,
    page: TaskPage,
    problems: Problems,
    entered: Entered,
    answers: Vec<Pick>,
    hows: Vec<Pick>,
    scopes: Vec<Pick>,
    reasons: Vec<Pick>,
    kinds: Vec<Pick>,
    ends: Vec<Pick>,
}

#[derive(Template)]
#[template(path = "clinic_refer.html")]
struct ReferSheet {
    frame: Frame,
    problems: Problems,
    sites: Vec<Pick>,
    one_site: Option<(String, String)>,
    text: String,
    found: Option<Vec<Found>>,
    /// The form for somebody who was not found, once it was looked for.
    new: Option<New>,
    /// Whether what is entered came from the hospital's record.
    from_record: bool,
    kinds: Vec<Pick>,
}

/// What is entered about somebody who is not known yet.
#[derive(Clone, Default)]
struct New {
    site: String,
    site_title: String,
    number: String,
    nhs_number: String,
    given: String,
    family: String,
    telephone: String,
    born: Day,
    once: String,
}

#[derive(Template)]
#[template(path = "clinic_questions.html")]
struct QuestionsSheet {
    frame: Frame,
    page: QuestionsPage,
}

#[derive(Template)]
#[template(path = "clinic_question.html")]
struct QuestionSheet {
    frame: Frame,
    page: QuestionPage,
    problems: Problems,
    answers: Vec<Pick>,
}

#[derive(Template)]
#[template(path = "clinic_list.html")]
struct ListSheet {
    frame: Frame,
    problems: Problems,
    sites: Vec<Pick>,
    one_site: Option<(String, String)>,
    preview: Option<ListPreview>,
    /// The number under which the list waits to be taken, where it can be.
    held: String,
}

#[derive(Template)]
#[template(path = "clinic_glass.html")]
struct GlassSheet {
    frame: Frame,
    problems: Problems,
    sites: Vec<Pick>,
    one_site: Option<(String, String)>,
    number: String,
    reason: String,
    told: bool,
    once: String,
    open: Vec<OpenGlass>,
    hours: i64,
}

/// What stands in the form of a task.
#[derive(Debug, Clone, Default)]
struct Entered {
    answer: String,
    how: String,
    scope: String,
    reason: String,
    kind: String,
    end: String,
    consents: bool,
    on: Day,
    until: Day,
    once: String,
}

impl Entered {
    /// Before anything is entered: what is so most of the time.
    fn fresh(page: &TaskPage, once: String) -> Self {
        Self {
            how: How::InPerson.code().into(),
            scope: Scope::All.code().into(),
            reason: ObjectionReason::NotStated.code().into(),
            kind: page.kinds.first().map_or("", |(code, _)| code).into(),
            on: Day::of(page.today),
            until: Day::of(page.again),
            once,
            ..Self::default()
        }
    }

    fn sent(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            answer: text("answer"),
            how: text("how"),
            scope: text("scope"),
            reason: text("reason"),
            kind: text("kind"),
            end: text("end"),
            consents: fields.is_ticked("consents"),
            on: Day::sent(fields, "on"),
            until: Day::sent(fields, "until"),
            once: text("once"),
        }
    }
}

/// The answers when somebody was told.
const ANSWERS: [(&str, &str, &str); 4] = [
    ("no-objection", "Told, and fine with it", "They know their diagnosis, were told about peer support, and do not object."),
    ("not-now", "Told, and not now", "They are asked again on the day below."),
    ("objects", "Told, and does not want it", "Nothing is released. They can change their mind at any time."),
    ("objects-outside", "Told, and fine with our own team only", "Nothing goes to a partner outside the clinic’s team."),
];

/// Who may ask for peer support of somebody of whom there is no record.
const NEW_KINDS: [trigger::Kind; 2] = [trigger::Kind::ClinicRequest, trigger::Kind::SelfReferral];

async fn clinic(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, Desk::clinic_page, |page, frame| fill(&ClinicSheet { frame, page })).await
}

async fn task_form(State(web): State<Web>, seat: Seat, Path(person): Path<String>, task: Task) -> Response {
    web.show(
        seat,
        move |desk| Ok((desk.task_page(task, person_id(&person)?)?, once(desk))),
        |(page, once), frame| {
            let entered = Entered::fresh(&page, once);
            fill(&task_sheet(frame, page, entered, Vec::new()))
        },
    )
    .await
}

async fn task(State(web): State<Web>, seat: Seat, Path(person): Path<String>, Posted(fields): Posted, task: Task) -> Response {
    let (again, whom, beside_one) = (fields.clone(), person.clone(), seat.framed);
    web.carry_out(
        seat,
        move |desk| {
            let person = person_id(&person)?;
            let done = do_task(desk, task, person, &fields)?;
            // Somebody whom their answer took out of the reader's hands has no page for them any more.
            let next = match task {
                // On to the next, where no record has one person open.
                Task::Notice if !beside_one => "/clinic".to_owned(),
                _ if desk.may_open(person)? => format!("/people/{person}"),
                _ => "/".to_owned(),
            };
            Ok((next, done))
        },
        move |desk, problems, frame| {
            let page = desk.task_page(task, person_id(&whom)?)?;
            filled(&task_sheet(frame, page, Entered::sent(&again), problems))
        },
    )
    .await
}

fn do_task(desk: &Desk, task: Task, person: PersonId, fields: &Fields) -> Result<Done, Failure> {
    let once = fields.text("once");
    match task {
        Task::Notice => notice(desk, person, fields, once),
        Task::Refer => {
            let kind = fields.coded("kind", trigger::Kind::from_code, "Choose who asks").map_err(wrong)?;
            desk.refer(person, kind, once).map(|()| Done::Referred)
        }
        Task::Defer => {
            let until = fields.date("until", "Enter the day on which to ask again").map_err(wrong)?;
            desk.defer(person, until, once).map(|()| Done::Deferred)
        }
        Task::Objection => {
            let (scope, reason) = gathered(
                fields.coded("scope", Scope::from_code, "Choose what they object to"),
                fields.coded("reason", ObjectionReason::from_code, "Choose a reason, or that none was given"),
            )?;
            desk.object(person, scope, reason, once).map(|()| Done::ObjectionRecorded)
        }
        Task::TakeBack => desk.take_back(person, once).map(|()| Done::Saved),
        Task::End => {
            let (reason, on) = gathered(
                fields.coded("end", EndReason::from_code, "Choose why it ends"),
                fields.date("on", "Enter the day on which it ended"),
            )?;
            desk.end_referral(person, reason, on, once).map(|()| Done::Ended)
        }
    }
}

fn notice(desk: &Desk, person: PersonId, fields: &Fields, once: &str) -> Result<Done, Failure> {
    let (how, on) = gathered(
        fields.coded("how", How::from_code, "Choose how they were told"),
        fields.date("on", "Enter the day on which they were told"),
    )?;
    let reason = ObjectionReason::from_code(fields.text("reason")).unwrap_or(ObjectionReason::NotStated);
    let (answer, done) = match fields.text("answer") {
        "no-objection" => (Told::NoObjection, Done::NoticeRecorded),
        "not-now" => {
            let until = fields.date("until", "Enter the day on which to ask again").map_err(wrong)?;
            (Told::NotNow { until }, Done::Deferred)
        }
        "objects" => (Told::Objects { scope: Scope::All, reason }, Done::ObjectionRecorded),
        "objects-outside" => (Told::Objects { scope: Scope::OutsideOnly, reason }, Done::NoticeRecorded),
        _ => return Err(Failure::invalid("answer", "Choose what they said")),
    };
    desk.record_notice(person, on, how, answer, fields.is_ticked("consents"), once)?;
    Ok(done)
}

fn task_sheet(frame: Frame, page: TaskPage, entered: Entered, problems: Vec<Invalid>) -> TaskSheet {
    let frame = under_person(frame, &page.head);
    // Where no partner works outside the team there is nothing to choose about it.
    let offered = ANSWERS.iter().filter(|(code, _, _)| *code != "objects-outside" || !page.outside.is_empty());
    let picked = |all: &[(&'static str, String)], chosen: &str| all.iter().map(|(code, words)| Pick::new(code, words, chosen)).collect();
    TaskSheet {
        answers: offered.map(|(code, words, hint)| Pick::new(code, words, &entered.answer).with_hint(hint)).collect(),
        hows: How::ALL.iter().map(|how| Pick::new(how.code(), &sentence(how.words()), &entered.how)).collect(),
        scopes: [Scope::All, Scope::OutsideOnly]
            .iter()
            .map(|scope| Pick::new(scope.code(), &sentence(scope.words()), &entered.scope))
            .collect(),
        reasons: ObjectionReason::ALL.iter().map(|why| Pick::new(why.code(), &sentence(why.words()), &entered.reason)).collect(),
        kinds: picked(&page.kinds, &entered.kind),
        ends: picked(&page.ends, &entered.end),
        problems: Problems::new(problems),
        frame,
        page,
        entered,
    }
}

fn under_person(frame: Frame, head: &Head) -> Frame {
    frame.under(&[(&head.href, "Back to the person")])
}

async fn refer_form(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, |desk| Ok(refer_sites(desk)), |sites, frame| fill(&refer_sheet(frame, sites, "", ""))).await
}

/// Looks for somebody before a form is offered: by POST, so that names stand in no address, no history and no log.
async fn refer_search(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    let frame = Frame::of(&web, &seat);
    web.answer(seat, move |desk| {
        let (sites, site, text) = (refer_sites(desk), fields.text("site").to_owned(), fields.text("q").to_owned());
        let title = sites.iter().find(|(key, _)| *key == site).map(|(_, title)| title.clone()).unwrap_or_default();
        let mut sheet = refer_sheet(frame, sites, &site, &text);
        match desk.search(&site, &text) {
            Ok(found) => {
                sheet.found = Some(found);
                sheet.new = Some(New { site, site_title: title, once: once(desk), ..guess(&text) });
                page(StatusCode::OK, fill(&sheet))
            }
            Err(Failure::Invalid(problems)) => {
                sheet.problems = Problems::new(problems);
                page(StatusCode::UNPROCESSABLE_ENTITY, fill(&sheet))
            }
            Err(failure) => Err(failure),
        }
    })
    .await
}

/// What was looked for, in the field where it belongs: nothing is typed twice.
fn guess(text: &str) -> New {
    let text = text.trim();
    if text.parse::<NhsNumber>().is_ok() {
        return New { nhs_number: text.to_owned(), ..New::default() };
    }
    if text.chars().any(|letter| letter.is_ascii_digit()) {
        return New { number: text.to_owned(), ..New::default() };
    }
    let (given, family) = text.rsplit_once(' ').unwrap_or(("", text));
    New { given: given.trim().to_owned(), family: family.to_owned(), ..New::default() }
}

/// The form with what the hospital's record says of whoever is open there: it is shown to the session that came from the record.
async fn refer_opened(State(web): State<Web>, seat: Seat, Path(number): Path<String>) -> Response {
    let (frame, session, opened) = (Frame::of(&web, &seat), seat.session.digest.clone(), web.opened.clone());
    web.answer(seat, move |desk| {
        let now = desk.app().world.now();
        let Some(waiting) = opened.look(&number, &session, now) else { return Ok(Redirect::to("/clinic/refer").into_response()) };
        let (sites, site, person) = (refer_sites(desk), waiting.site.0, waiting.person);
        let title = sites.iter().find(|(key, _)| *key == site).map(|(_, title)| title.clone()).unwrap_or_default();
        let new = New {
            site: site.clone(),
            site_title: title,
            number: person.number,
            nhs_number: person.nhs_number,
            given: person.given,
            family: person.family,
            telephone: person.telephone,
            born: person.birth_date.map(Day::of).unwrap_or_default(),
            once: once(desk),
        };
        let sheet = refer_sheet(frame, sites, &site, "");
        page(StatusCode::OK, fill(&ReferSheet { new: Some(new), from_record: true, ..sheet }))
    })
    .await
}

async fn refer_new(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    let again = fields.clone();
    web.carry_out(
        seat,
        move |desk| {
            let (born, kind) = gathered(born(&fields), fields.coded("kind", trigger::Kind::from_code, "Choose who asks"))?;
            let text = |name: &str| fields.text(name).to_owned();
            let new = NewPerson {
                number: text("number"),
                nhs_number: text("nhs-number"),
                given: text("given"),
                family: text("family"),
                birth_date: born,
                telephone: text("telephone"),
            };
            desk.refer_new(fields.text("site"), &new, kind, fields.text("once"))?;
            // Not to the new page: whether there is one for the reader would tell whose record is closed.
            Ok(("/clinic".to_owned(), Done::Referred))
        },
        move |desk, problems, frame| {
            let sites = refer_sites(desk);
            let text = |name: &str| again.text(name).to_owned();
            let site = text("site");
            let new = New {
                site_title: sites.iter().find(|(key, _)| *key == site).map(|(_, title)| title.clone()).unwrap_or_default(),
                site: site.clone(),
                number: text("number"),
                nhs_number: text("nhs-number"),
                given: text("given"),
                family: text("family"),
                telephone: text("telephone"),
                born: Day::sent(&again, "born"),
                once: text("once"),
            };
            let sheet = refer_sheet(frame, sites, &site, "");
            filled(&ReferSheet { problems: Problems::new(problems), new: Some(new), kinds: new_kinds(&text("kind")), ..sheet })
        },
    )
    .await
}

/// A day of birth, or that it is not known.
fn born(fields: &Fields) -> Result<Option<Date>, Invalid> {
    if Day::sent(fields, "born").is_empty() {
        return Ok(None);
    }
    fields.date("born", "Enter a date of birth that is in the calendar, or leave it empty").map(Some)
}

fn new_kinds(chosen: &str) -> Vec<Pick> {
    let chosen = if chosen.is_empty() { NEW_KINDS[0].code() } else { chosen };
    NEW_KINDS.iter().map(|kind| Pick::new(kind.code(), &sentence(kind.words()), chosen)).collect()
}

fn refer_sites(desk: &Desk) -> Vec<(String, String)> {
    desk.sites(Action::Refer).map(|site| (site.key.0.clone(), site.title.clone())).collect()
}

fn refer_sheet(frame: Frame, sites: Vec<(String, String)>, chosen: &str, text: &str) -> ReferSheet {
    let (sites, one_site) = picks_of(sites, chosen);
    let frame = frame.under(&[("/clinic", "Clinic")]);
    ReferSheet {
        frame,
        problems: Problems::default(),
        sites,
        one_site,
        text: text.to_owned(),
        found: None,
        new: None,
        from_record: false,
        kinds: new_kinds(""),
    }
}

/// Sites to choose from, or the one that there is.
fn picks_of(sites: Vec<(String, String)>, chosen: &str) -> (Vec<Pick>, Option<(String, String)>) {
    match <[_; 1]>::try_from(sites) {
        Ok([one]) => (Vec::new(), Some(one)),
        Err(sites) => (sites.iter().map(|(key, title)| Pick::new(key, title, chosen)).collect(), None),
    }
}

async fn questions(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, Desk::questions_page, |page, frame| fill(&QuestionsSheet { frame, page })).await
}

async fn question(State(web): State<Web>, seat: Seat, Path(question): Path<String>) -> Response {
    web.show(
        seat,
        move |desk| desk.question_page(question_id(&question)?),
        |page, frame| fill(&question_sheet(frame, page, Vec::new(), "")),
    )
    .await
}

async fn answer(State(web): State<Web>, seat: Seat, Path(question): Path<String>, Posted(fields): Posted) -> Response {
    let (again, asked) = (fields.clone(), question.clone());
    web.carry_out(
        seat,
        move |desk| {
            let given = fields.coded("answer", Answer::from_code, "Choose an answer").map_err(wrong)?;
            desk.answer_question(question_id(&question)?, given)?;
            Ok(("/questions".to_owned(), Done::QuestionAnswered))
        },
        move |desk, problems, frame| {
            let page = desk.question_page(question_id(&asked)?)?;
            filled(&question_sheet(frame, page, problems, again.text("answer")))
        },
    )
    .await
}

fn question_sheet(frame: Frame, page: QuestionPage, problems: Vec<Invalid>, chosen: &str) -> QuestionSheet {
    let answers = page.answers.iter().map(|(code, words)| Pick::new(code, words, chosen)).collect();
    let frame = frame.under(&[("/questions", "Questions")]);
    QuestionSheet { frame, problems: Problems::new(problems), answers, page }
}

async fn list_form(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, |desk| Ok(list_sites(desk)), |sites, frame| fill(&list_sheet(frame, sites, "", Vec::new()))).await
}

/// Tells what a list would do. It waits here, under a number, for the session that brought it.
async fn list_preview(State(web): State<Web>, seat: Seat, form: PostedFile) -> Response {
    let (frame, session, held) = (Frame::of(&web, &seat), seat.session.digest.clone(), web.held.clone());
    web.answer(seat, move |desk| {
        let PostedFile { fields, bytes } = form;
        let (sites, site) = (list_sites(desk), fields.text("site").to_owned());
        match desk.preview_list(&site, &bytes) {
            Ok(preview) => {
                let mut sheet = list_sheet(frame, sites, &site, Vec::new());
                if preview.can_be_taken() {
                    sheet.held = secret(desk);
                    held.keep(&sheet.held, &session, (site, bytes), desk.app().world.now());
                }
                sheet.preview = Some(preview);
                page(StatusCode::OK, fill(&sheet))
            }
            Err(Failure::Invalid(problems)) => page(StatusCode::UNPROCESSABLE_ENTITY, fill(&list_sheet(frame, sites, &site, problems))),
            Err(failure) => Err(failure),
        }
    })
    .await
}

async fn list_take(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    let (frame, session, held) = (Frame::of(&web, &seat), seat.session.digest.clone(), web.held.clone());
    web.answer(seat, move |desk| {
        let now = desk.app().world.now();
        let taken = held
            .take(fields.text("held"), &session, now)
            .ok_or_else(|| Failure::invalid("list", "The list waits no more: choose the file again"))
            .and_then(|(site, bytes)| desk.take_list(&site, &bytes));
        match taken {
            Ok(_) => Ok(lead_to("/clinic", Done::ListTaken)),
            Err(Failure::Invalid(problems)) => {
                let at_the_file = |problem: Invalid| match problem.place.as_str() {
                    "list" | "site" => problem,
                    place => Invalid::new("list", format!("{}: {}", sentence(place), problem.what)),
                };
                let problems = problems.into_iter().map(at_the_file).collect();
                page(StatusCode::UNPROCESSABLE_ENTITY, fill(&list_sheet(frame, list_sites(desk), "", problems)))
            }
            Err(failure) => Err(failure),
        }
    })
    .await
}

fn list_sites(desk: &Desk) -> Vec<(String, String)> {
    desk.list_sites().map(|site| (site.key.0.clone(), site.title.clone())).collect()
}

fn list_sheet(frame: Frame, sites: Vec<(String, String)>, chosen: &str, problems: Vec<Invalid>) -> ListSheet {
    let (sites, one_site) = picks_of(sites, chosen);
    let frame = frame.under(&[("/clinic", "Clinic")]);
    ListSheet { frame, problems: Problems::new(problems), sites, one_site, preview: None, held: String::new() }
}

async fn glass_form(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, |desk| glass_sheet(desk, &Fields::default(), once(desk), Vec::new()), |sheet, frame| fill(&sheet(frame))).await
}

async fn glass(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    let again = fields.clone();
    web.carry_out(
        seat,
        move |desk| {
            if !fields.is_ticked("told") {
                return Err(Failure::invalid("told", "Tick to say that you know who will be told"));
            }
            let person = desk.break_glass(fields.text("site"), fields.text("number"), fields.text("reason"), fields.text("once"))?;
            Ok((format!("/people/{person}"), Done::GlassBroken))
        },
        move |desk, problems, frame| {
            let once = again.text("once").to_owned();
            filled(&glass_sheet(desk, &again, once, problems)?(frame))
        },
    )
    .await
}

fn glass_sheet(
    desk: &Desk,
    fields: &Fields,
    once: String,
    problems: Vec<Invalid>,
) -> Result<impl FnOnce(Frame) -> GlassSheet + use<>, Failure> {
    let open = desk.own_glass()?;
    let sites = desk.sites(Action::BreakGlass).map(|site| (site.key.0.clone(), site.title.clone())).collect();
    let (sites, one_site) = picks_of(sites, fields.text("site"));
    let text = |name: &str| fields.text(name).to_owned();
    let (number, reason, told) = (text("number"), text("reason"), fields.is_ticked("told"));
    let (problems, hours) = (Problems::new(problems), alongside_app::desk::GLASS_HOURS);
    Ok(move |frame| GlassSheet { frame, problems, sites, one_site, number, reason, told, once, open, hours })
}

fn person_id(text: &str) -> Result<PersonId, Failure> {
    text.parse().map_err(|_| Failure::NotFound)
}

fn question_id(text: &str) -> Result<QuestionId, Failure> {
    text.parse().map_err(|_| Failure::NotFound)
}

/// The number of a form, by which it is carried out once.
fn once(desk: &Desk) -> String {
    format!("{:032x}", desk.app().world.ids().next())
}

/// A number that nobody can guess.
pub(super) fn secret(desk: &Desk) -> String {
    desk.app().world.secret().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sentence(words: &str) -> String {
    alongside_app::pages::words::sentence(words)
}

fn wrong(problem: Invalid) -> Failure {
    Failure::Invalid(vec![problem])
}

/// Both, or everything that is wrong with either.
fn gathered<A, B>(one: Result<A, Invalid>, other: Result<B, Invalid>) -> Result<(A, B), Failure> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(Failure::Invalid(vec![one, other])),
        (Err(problem), _) | (_, Err(problem)) => Err(wrong(problem)),
    }
}

fn filled(template: &impl Template) -> Result<String, Failure> {
    fill(template).map_err(|error| Failure::Broken(format!("a template: {error}")))
}

/// Every template of this room with samples: a name to find it by, and the page.
#[cfg(test)]
pub(crate) fn samples() -> Vec<(String, String)> {
    use super::samples::NAME;
    use super::tests::frame;
    use alongside_app::pages::{ClinicLine, ClinicTile, Compared, Fact, Link, QuestionLine, Told as CameIn};

    let text = |words: &str| words.to_owned();
    let link = || Link { href: text("/clinic/refer"), words: text("Refer somebody"), current: false };
    let head = || Head { href: text("/people/1"), name: text(NAME), age: text("aged 34"), site_title: text("Chelsea and Westminster") };
    let facts = || vec![Fact { term: "Telephone", value: text("07700 900001") }];
    let sites = || vec![(text("west"), text("West")), (text("north"), text("North"))];
    let problem = |place: &str| vec![Invalid::new(place, "Enter it")];
    let line = |notice: bool, urgency| ClinicLine {
        href: text("/people/1"),
        notice: notice.then(|| text("/people/1/notice")),
        name: text(NAME),
        age: text("aged 34"),
        site_title: Some(text("West")),
        reason: text("Newly diagnosed"),
        stage: text("Open"),
        waiting: text("12 days"),
        due: text("due today"),
        urgency,
    };
    let question_line = || QuestionLine {
        href: text("/questions/1"),
        question: "Newly diagnosed, or known before?",
        name: text(NAME),
        age: text("aged 34"),
        waiting: text("2 days"),
        asks: text("a clinician"),
    };
    let open = || vec![OpenGlass { href: text("/people/1"), name: text(NAME), until: text("today at 12:30pm") }];
    let mut pages = Vec::new();
    for full in [true, false] {
        let page = ClinicPage {
            sentence: "What it is.",
            awaiting: if full { vec![line(true, Urgency::Calm), line(false, Urgency::Calm)] } else { Vec::new() },
            awaiting_total: text("2 people"),
            awaiting_more: if full { vec![link()] } else { Vec::new() },
            questions: if full { vec![question_line()] } else { Vec::new() },
            questions_total: text("1 question"),
            more_questions: full,
            referred: if full { vec![line(false, Urgency::Late), line(false, Urgency::Soon)] } else { Vec::new() },
            referred_total: text("2 people"),
            lists: vec![ClinicTile { href: text("/"), words: text("Opted out"), count: text("3") }],
            glass: if full { open() } else { Vec::new() },
            replies: if full { crate::web::samples::replies() } else { Vec::new() },
            to_allocate: if full {
                vec![alongside_app::pages::ToAllocate {
                    href: text("/referrals/1/allocate"),
                    name: text(NAME),
                    why: text("nobody has them yet"),
                }]
            } else {
                Vec::new()
            },
            closed: if full {
                vec![alongside_app::pages::ClosedLine { href: text("/people/1"), name: text(NAME), since: text("3 March 2025") }]
            } else {
                Vec::new()
            },
            actions: if full { vec![link()] } else { Vec::new() },
        };
        pages.push((format!("clinic, {full}"), fill(&ClinicSheet { frame: frame(), page })));
        let lines = if full { vec![question_line(), question_line()] } else { Vec::new() };
        let page = QuestionsPage { lines, total: text("2 questions") };
        pages.push((format!("questions, {full}"), fill(&QuestionsSheet { frame: frame(), page })));
        let page = QuestionPage {
            href: text("/questions/1"),
            question: "Are these two records the same person?",
            head: head(),
            other: full.then(head),
            facts: facts(),
            told: vec![CameIn { what: text("Diagnosed"), rule: text("A result"), from: text(NAME) }],
            compared: if full { vec![Compared { term: "Name", one: text(NAME), other: text(NAME), same: true }] } else { Vec::new() },
            follows: "It follows.",
            since: text("6 January 2025"),
            answers: vec![("same", text("The same person"))],
            closed: (!full).then(|| text("A clinician answers this question.")),
        };
        pages.push((
            format!("question, {full}"),
            fill(&question_sheet(frame(), page, if full { problem("answer") } else { Vec::new() }, "same")),
        ));
        let preview = ListPreview {
            site_title: text("West"),
            rows: 3,
            unclear: 1,
            taken_before: full,
            problems: if full { problem("line 2") } else { Vec::new() },
            ..ListPreview::default()
        };
        let sheet = ListSheet { preview: Some(preview), held: text("1"), ..list_sheet(frame(), sites(), "west", Vec::new()) };
        pages.push((format!("list, previewed, {full}"), fill(&sheet)));
    }
    for task in Task::ALL {
        let page = TaskPage {
            task: *task,
            head: head(),
            facts: facts(),
            notices: vec![text("Objects.")],
            sentence: Some("What it is."),
            today: jiff::civil::date(2025, 1, 6),
            again: jiff::civil::date(2025, 4, 6),
            latest: text("6 January 2026"),
            outside: vec![text(NAME)],
            kinds: vec![("clinic-request", text("Asked for by the clinic"))],
            ends: vec![("moved", text("Moved away"))],
        };
        let entered = Entered::fresh(&page, text("1"));
        let wrong = ["answer", "on", "until", "kind", "scope", "end"].iter().flat_map(|place| problem(place)).collect();
        pages.push((format!("{task}, wrong"), fill(&task_sheet(frame(), page.clone(), entered.clone(), wrong))));
        pages.push((format!("{task}"), fill(&task_sheet(frame(), page, entered, Vec::new()))));
    }
    let found = vec![Found { href: text("/people/1"), name: text(NAME), age: text("aged 3"), born: text("born"), died: true }];
    let refers = [("find", None, None), ("found", Some(found), Some(New::default())), ("open in the record", None, Some(New::default()))];
    for (name, found, new) in refers {
        let from_record = found.is_none() && new.is_some();
        pages
            .push((format!("refer, {name}"), fill(&ReferSheet { found, new, from_record, ..refer_sheet(frame(), sites(), "west", NAME) })));
    }
    pages.push((text("list, wrong"), fill(&list_sheet(frame(), sites(), "", problem("list")))));
    let glass = |problems: Vec<Invalid>, one_site: Option<(String, String)>| GlassSheet {
        frame: frame(),
        problems: Problems::new(problems),
        sites: if one_site.is_some() { Vec::new() } else { picks_of(sites(), "").0 },
        one_site,
        number: text(NAME),
        reason: text(NAME),
        told: true,
        once: text("1"),
        open: open(),
        hours: 4,
    };
    let wrong = [problem("number"), problem("reason"), problem("told")].concat();
    pages.push((text("glass, wrong"), fill(&glass(wrong, None))));
    pages.push((text("glass"), fill(&glass(Vec::new(), Some((text("west"), text("West")))))));
    pages.into_iter().map(|(name, page)| (name, page.unwrap_or_else(|error| format!("{error}")))).collect()
}
