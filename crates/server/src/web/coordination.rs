//! The coordinator's pages: who needs whom, giving somebody to a supporter, and what supporters must hold.

use alongside_app::pages::words::{self, Urgency};
use alongside_app::pages::{AllocatePage, Chosen, Coordination, PassportLine, Passports, Reallocation, TeamFilter};
use alongside_app::{Desk, Failure, Invalid, Moving, chosen, field_of};
use alongside_domain::access::Action;
use alongside_domain::id::ReferralId;
use alongside_domain::passport::Item;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::done::Done;
use super::forms::{Day, Fields, Posted};
use super::pages::{Asking, query};
use super::parts::{Pick, Problems};
use super::routes::{Needs, Route, read, send};
use super::seat::Seat;
use super::templates::Frame;
use super::{Web, fill};

/// Where a coordinator's day begins.
const START: &str = "/coordination";
/// Where passports are.
const PASSPORTS: &str = "/coordination/passports";

pub(crate) fn routes() -> Vec<Route> {
    use Action::{Allocate, KeepPassports, SeeCapacity, SeePassports};
    use Needs::May;
    vec![
        read(START, May(SeeCapacity), start),
        read("/coordination/reallocate", May(SeeCapacity), preview),
        send("/coordination/reallocate", May(SeeCapacity), reallocate),
        read("/referrals/{referral}/allocate", May(Allocate), allocate_form),
        send("/referrals/{referral}/allocate", May(Allocate), allocate),
        read(PASSPORTS, May(SeePassports), passports),
        read("/coordination/passports/{supporter}/renew", May(KeepPassports), renew_form),
        send("/coordination/passports/{supporter}/renew", May(KeepPassports), renew),
    ]
}

#[derive(Template)]
#[template(path = "coordination.html")]
struct StartPage {
    frame: Frame,
    page: Coordination,
    problems: Problems,
}

#[derive(Template)]
#[template(path = "coordination_allocate.html")]
struct AllocateForm {
    frame: Frame,
    page: AllocatePage,
    picks: Vec<Pick>,
    problems: Problems,
    once: String,
}

#[derive(Template)]
#[template(path = "coordination_reallocate.html")]
struct ReallocateForm {
    frame: Frame,
    page: Reallocation,
    problems: RowProblems,
    once: String,
}

#[derive(Template)]
#[template(path = "coordination_passports.html")]
struct PassportsPage {
    frame: Frame,
    page: Passports,
    titles: Vec<String>,
}

#[derive(Template)]
#[template(path = "coordination_renew.html")]
struct RenewForm {
    frame: Frame,
    line: PassportLine,
    items: Vec<Pick>,
    until: Day,
    problems: Problems,
}

/// What is wrong with a form of rows, each of a referral.
#[derive(Default)]
struct RowProblems(Problems);

impl RowProblems {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn all(&self) -> &[Invalid] {
        self.0.all()
    }

    /// What is wrong at the row of a referral.
    fn at_row(&self, referral: &str) -> &str {
        self.0.at(&format!("to-{referral}"))
    }
}

/// `?site=chelwest&partner=naz-project`.
#[derive(Debug, Default, Deserialize)]
struct Filtered {
    #[serde(default)]
    site: String,
    #[serde(default)]
    partner: String,
}

/// `?from=grace`.
#[derive(Debug, Default, Deserialize)]
struct From {
    #[serde(default)]
    from: String,
}

async fn start(State(web): State<Web>, seat: Seat, asking: Asking<Filtered>) -> Response {
    web.show(
        seat,
        move |desk| {
            let Filtered { site, partner } = query(asking)?;
            desk.coordination_page(&TeamFilter { site, partner })
        },
        |page, frame| fill(&StartPage { frame, page, problems: Problems::default() }),
    )
    .await
}

fn referral_of(text: &str) -> Result<ReferralId, Failure> {
    text.parse().map_err(|_| Failure::NotFound)
}

/// A number that makes a second sending of a form harmless.
fn once(desk: &Desk) -> String {
    format!("{:032x}", desk.app().world.ids().next())
}

/// Back to where somebody came from: the coordinator's lists, or the person.
fn trail<'a>(desk: &Desk, person: &'a str) -> Vec<(&'a str, &'static str)> {
    let lists = desk.may_do(Action::SeeCapacity).is_ok().then_some((START, "Coordination"));
    lists.into_iter().chain([(person, "The person")]).collect()
}

fn allocate_page(desk: &Desk, referral: ReferralId, chosen: &str, problems: Vec<Invalid>, frame: Frame) -> Result<String, Failure> {
    let page = desk.allocate_page(referral)?;
    let picks = page.able.iter().map(|one| Pick::new(&one.key, &one.words, chosen).with_hint(&one.load)).collect();
    let frame = frame.under(&trail(desk, &page.person));
    filled(&AllocateForm { frame, picks, problems: Problems::new(problems), once: once(desk), page })
}

fn filled(template: &impl Template) -> Result<String, Failure> {
    fill(template).map_err(|error| Failure::Broken(format!("a template: {error}")))
}

async fn allocate_form(State(web): State<Web>, seat: Seat, Path(referral): Path<String>) -> Response {
    let frame = Frame::of(&web, &seat);
    web.answer(seat, move |desk| {
        let page = allocate_page(desk, referral_of(&referral)?, "", Vec::new(), frame)?;
        Ok(super::html(axum::http::StatusCode::OK, page))
    })
    .await
}

async fn allocate(State(web): State<Web>, seat: Seat, Path(referral): Path<String>, Posted(fields): Posted) -> Response {
    let again = (referral.clone(), fields.text("supporter").to_owned());
    web.carry_out(
        seat,
        move |desk| {
            let person = desk.give(referral_of(&referral)?, fields.text("supporter"), fields.text("once"))?;
            let lists = desk.may_do(Action::SeeCapacity).is_ok();
            Ok((if lists { START.to_owned() } else { format!("/people/{person}") }, Done::Allocated))
        },
        move |desk, problems, frame| allocate_page(desk, referral_of(&again.0)?, &again.1, problems, frame),
    )
    .await
}

fn preview_page(desk: &Desk, from: &str, chosen: &Chosen, problems: Vec<Invalid>, frame: Frame) -> Result<String, Failure> {
    let page = desk.reallocation_page(from, chosen)?;
    let frame = frame.under(&[(START, "Coordination")]);
    filled(&ReallocateForm { frame, page, problems: RowProblems(Problems::new(problems)), once: once(desk) })
}

async fn preview(State(web): State<Web>, seat: Seat, asking: Asking<From>) -> Response {
    let frame = Frame::of(&web, &seat);
    web.answer(seat, move |desk| {
        let page = preview_page(desk, &query(asking)?.from, &Chosen::new(), Vec::new(), frame)?;
        Ok(super::html(axum::http::StatusCode::OK, page))
    })
    .await
}

/// The rows of the form. What is no referral is left out: nothing is done to it.
fn moves(fields: &Fields) -> Vec<Moving> {
    let rows = fields.all("referral").filter_map(|text| text.parse::<ReferralId>().ok());
    rows.map(|referral| Moving {
        referral,
        mark: fields.text(&format!("was-{referral}")).to_owned(),
        to: fields.filled(&field_of(referral)).map(str::to_owned),
    })
    .collect()
}

async fn reallocate(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    let (from, wanted) = (fields.text("from").to_owned(), moves(&fields));
    let again = (from.clone(), chosen(&wanted));
    web.carry_out(
        seat,
        move |desk| {
            desk.reallocate(&from, &wanted, fields.text("once"))?;
            Ok((START.to_owned(), Done::Reallocated))
        },
        move |desk, problems, frame| preview_page(desk, &again.0, &again.1, problems, frame),
    )
    .await
}

async fn passports(State(web): State<Web>, seat: Seat) -> Response {
    web.show(
        seat,
        |desk| Ok((desk.passports_page()?, desk.may_do(Action::SeeCapacity).is_ok())),
        |(page, coordinates), frame| {
            let frame = if coordinates { frame.under(&[(START, "Coordination")]) } else { frame };
            let titles = Item::ALL.iter().map(|item| words::sentence(item.words())).collect();
            fill(&PassportsPage { frame, page, titles })
        },
    )
    .await
}

fn renew_page(desk: &Desk, supporter: &str, fields: &Fields, problems: Vec<Invalid>, frame: Frame) -> Result<String, Failure> {
    let line = desk.passports_page()?.lines.into_iter().find(|line| line.key == supporter).ok_or(Failure::NotFound)?;
    let chosen = fields.text("item");
    let items = line.items.iter().map(|item| {
        let until =
            item.until.as_deref().map_or_else(|| item.state.to_owned(), |until| format!("{}, {until}", words::sentence(item.state)));
        Pick::new(item.item.code(), &item.title, chosen).with_hint(&words::sentence(&until))
    });
    filled(&RenewForm {
        items: items.collect(),
        line,
        frame: frame.under(&[(START, "Coordination"), (PASSPORTS, "Contracts, training and checks")]),
        until: Day::sent(fields, "until"),
        problems: Problems::new(problems),
    })
}

async fn renew_form(State(web): State<Web>, seat: Seat, Path(supporter): Path<String>) -> Response {
    let frame = Frame::of(&web, &seat);
    web.answer(seat, move |desk| {
        let page = renew_page(desk, &supporter, &Fields::default(), Vec::new(), frame)?;
        Ok(super::html(axum::http::StatusCode::OK, page))
    })
    .await
}

async fn renew(State(web): State<Web>, seat: Seat, Path(supporter): Path<String>, Posted(fields): Posted) -> Response {
    let again = (supporter.clone(), fields.clone());
    web.carry_out(
        seat,
        move |desk| {
            let item = fields.coded("item", Item::from_code, "Choose what was renewed");
            let until = fields.date("until", "Enter the last day, for example 27 3 2026");
            let (item, until) = match (item, until) {
                (Ok(item), Ok(until)) => (item, until),
                (item, until) => return Err(Failure::Invalid(item.err().into_iter().chain(until.err()).collect())),
            };
            desk.renew(&supporter, item, until)?;
            Ok((PASSPORTS.to_owned(), Done::Renewed))
        },
        move |desk, problems, frame| renew_page(desk, &again.0, &again.1, problems, frame),
    )
    .await
}

/// Every template with as much as it ever shows.
#[cfg(test)]
pub(crate) fn samples() -> Vec<(String, String)> {
    use super::samples::NAME;
    use alongside_app::pages::{Able, Alternative, ItemLine, Leaver, Link, Load, MoveRow, TeamLine, TeamList, WaitingLetter};
    let frame = || Frame::new(&super::Options { demo: true, ..super::Options::default() }).under(&[(START, "Coordination")]);
    let person = || "/people/per_00000000000000000000000000000001".to_owned();
    let referral = |number: u32| format!("ref_{number:032x}");
    let choices = || {
        let choice = |value: &str, chosen| Alternative { value: value.into(), words: NAME.into(), chosen };
        vec![choice("", false), choice("dele", true)]
    };
    let list = || {
        let line = |urgency| TeamLine {
            href: person(),
            name: NAME.into(),
            age: "aged 34".into(),
            site: "Chelsea and Westminster".into(),
            why: "Newly diagnosed; tried 2 times".into(),
            due: "was due 3 January 2025, 1 working day ago".into(),
            urgency,
            supporter: "Dele".into(),
            give: format!("/referrals/{}/allocate", referral(1)),
        };
        let all = vec![Link { href: "/sites/west/worklists/open".into(), words: "All at Chelsea and Westminster".into(), current: false }];
        TeamList { total: 40, total_words: "40 people".into(), lines: [Urgency::Late, Urgency::Soon, Urgency::Calm].map(line).into(), all }
    };
    let none = TeamList { total: 0, total_words: "0 people".into(), lines: Vec::new(), all: Vec::new() };
    let load = |held, limit, open| Load {
        name: "Dele".into(),
        partner: "Plushealth".into(),
        sites: "Chelsea and Westminster".into(),
        held,
        limit,
        words: format!("{held} of {limit} people"),
        state: "room for 31".into(),
        open,
        give: open.then(|| "/coordination/reallocate?from=dele".into()),
    };
    let full = Coordination {
        sites: [choices(), choices()].concat(),
        partners: choices(),
        allocating: list(),
        reallocating: vec![Leaver {
            name: "Marcus".into(),
            why: "the contract does not cover today",
            people: "3 people".into(),
            href: "/coordination/reallocate?from=marcus".into(),
        }],
        reallocating_words: "3 people".into(),
        promise: list(),
        replies: crate::web::samples::replies(),
        letters: vec![WaitingLetter {
            href: person(),
            name: NAME.into(),
            since: "12 days".into(),
            supporter: "Dele".into(),
            why: "no place for letters is set up",
            what_to_do: "Ask.",
        }],
        letters_words: "1 letter".into(),
        capacity: vec![load(14, 45, true), load(45, 45, false), load(0, 0, false)],
        ahead: Some("On 3 March 14 people lose their supporter unless two items are renewed.".into()),
    };
    let empty = Coordination {
        sites: choices(),
        partners: choices(),
        allocating: none.clone(),
        reallocating: Vec::new(),
        promise: none,
        replies: Vec::new(),
        letters: Vec::new(),
        capacity: Vec::new(),
        ahead: None,
        ..full.clone()
    };
    let mut pages = Vec::new();
    for (name, page) in [("coordination", full), ("coordination, empty", empty)] {
        pages.push((name.to_owned(), fill(&StartPage { frame: frame(), page, problems: Problems::default() })));
    }
    let allocation = |blocked, able: bool| AllocatePage {
        address: format!("/referrals/{}/allocate", referral(1)),
        person: person(),
        name: NAME.into(),
        age: "aged 34".into(),
        site_title: "Chelsea and Westminster".into(),
        standing: "Newly diagnosed; open".into(),
        due: Some(("due today".into(), Urgency::Soon)),
        supporter: able.then(|| "Dele".into()),
        blocked,
        able: if able {
            vec![Able { key: "ines".into(), words: "Inês, Positively UK".into(), held: 4, limit: 50, load: "4 of 50 people".into() }]
        } else {
            Vec::new()
        },
        unable: vec![("Grace, Positively UK".into(), "The supporter's caseload is full.")],
    };
    for (name, page, problems) in [
        ("allocate", allocation(None, true), Vec::new()),
        ("allocate, wrong", allocation(None, true), vec![Invalid::new("supporter", "Choose a supporter")]),
        ("allocate, nobody", allocation(None, false), Vec::new()),
        ("allocate, blocked", allocation(Some("The person has died."), false), Vec::new()),
    ] {
        let picks = page.able.iter().map(|one| Pick::new(&one.key, &one.words, "").with_hint(&one.load)).collect();
        pages.push((
            name.to_owned(),
            fill(&AllocateForm { frame: frame(), page, picks, problems: Problems::new(problems), once: "1".into() }),
        ));
    }
    let row = |number: u32| MoveRow {
        referral: referral(number),
        mark: "allocated.0.marcus".into(),
        href: person(),
        name: NAME.into(),
        age: "aged 34".into(),
        site: "Chelsea and Westminster".into(),
        stage: "Being contacted".into(),
        nobody: number == 1,
        choices: choices(),
    };
    for (name, rows) in [("reallocate", 3), ("reallocate, nobody", 0)] {
        let page = Reallocation {
            from: "marcus".into(),
            name: "Marcus".into(),
            why: "Marcus has 3 people.".into(),
            summary: "Somebody is proposed for 2 of 3 people.".into(),
            rows: (1..=rows).map(row).collect(),
            left_out: 2,
        };
        let problems =
            RowProblems(Problems::new((rows > 0).then(|| Invalid::new(format!("to-{}", referral(2)), "Full")).into_iter().collect()));
        pages.push((name.to_owned(), fill(&ReallocateForm { frame: frame(), page, problems, once: "1".into() })));
    }
    let line = || PassportLine {
        key: "grace".into(),
        first_name: "Grace".into(),
        partner: "Positively UK".into(),
        sites: "Chelsea and Westminster".into(),
        items: Item::ALL
            .iter()
            .zip([Urgency::Late, Urgency::Soon, Urgency::Calm])
            .map(|(item, urgency)| ItemLine {
                item: *item,
                title: words::sentence(item.words()),
                until: Some("3 March 2025".into()),
                state: "ends soon",
                urgency,
            })
            .collect(),
        cleared: true,
        state: "everything is in date",
        people: "14 people".into(),
    };
    for renews in [true, false] {
        let page = Passports {
            ahead: if renews { vec!["On 3 March 14 people lose their supporter unless two items are renewed.".into()] } else { Vec::new() },
            horizon_days: 90,
            lines: if renews { vec![line(), line()] } else { Vec::new() },
            may_renew: renews,
        };
        let titles = vec!["Honorary contract".into(), "Data-security training".into(), "DBS check".into()];
        pages.push((format!("passports, {renews}"), fill(&PassportsPage { frame: frame(), page, titles })));
        let items = vec![Pick::new("contract", "Honorary contract", "").with_hint("In date"), Pick::new("dbs", "DBS check", "dbs")];
        let problems = Problems::new(renews.then(|| Invalid::new("until", "Enter the last day")).into_iter().collect());
        let until = Day { day: "1".into(), month: "13".into(), year: "2025".into() };
        pages.push((format!("renew, {renews}"), fill(&RenewForm { frame: frame(), line: line(), items, until, problems })));
    }
    pages.into_iter().map(|(name, page)| (name, page.unwrap())).collect()
}
