//! One sample of every page model, with texts as long and as odd as they come, so that a test renders every template.

use alongside_app::pages::words::Urgency;
use alongside_app::pages::{
    Answered, Band, Chart, Contact, Dot, Entry, Fact, FeedWaiting, Figures, FiguresStart, Found, Headline, LedgerLine, Line, Link, Paging,
    PersonPage, Quarantined, Ref, Row, Section, SentLine, SetAside, Shape, SiteCard, Step, Tab, Tile, Trend, Wellbeing, WhyPage, Worklist,
    WorklistKind,
};
use alongside_app::pages::{ReplyLine, SafeContactBox};

/// A name that would break a page which did not escape it.
pub(crate) const NAME: &str = "Zoë <b>O'Dempsey</b> & \"Sons\"";

fn link(words: &str) -> Link {
    Link { href: "/sites/west/figures?quarter=2024-Q4&show=all".into(), words: words.into(), current: true }
}

fn dot(at: i32, value: Option<f64>, interval: Option<(f64, f64)>) -> Dot {
    let short = value.map_or_else(|| "hidden".to_owned(), |value| value.to_string());
    Dot {
        at,
        label: format!("Q{at} 2024"),
        full: format!("quarter {at} of 2024"),
        value,
        interval,
        words: format!("{short} in words"),
        short,
    }
}

/// One chart of each shape.
pub(crate) fn charts() -> Vec<Chart> {
    let chart = |id: &str, shape, scale, bands, dots| Chart {
        id: id.into(),
        title: format!("Chart {id}"),
        description: "What it shows.".into(),
        along: "Quarter",
        measured: "People".into(),
        shape,
        scale,
        bands,
        dots,
    };
    let band = |from, to, label: &str| Band { from, to, label: label.into() };
    vec![
        chart("bars", Shape::Bars, (0.0, 200.0), vec![], vec![dot(1, Some(92.0), None), dot(2, None, None), dot(3, Some(126.0), None)]),
        chart(
            "intervals",
            Shape::Intervals,
            (0.0, 100.0),
            vec![],
            vec![dot(1, Some(48.0), Some((30.0, 66.0))), dot(2, Some(83.0), Some((71.0, 91.0)))],
        ),
        chart(
            "line",
            Shape::Line,
            (0.0, 10.0),
            vec![band(0.0, 4.0, "low"), band(5.0, 6.0, "medium"), band(7.0, 10.0, "high")],
            vec![dot(20_000, Some(4.0), None), dot(20_090, None, None), dot(20_180, Some(7.0), None)],
        ),
    ]
}

pub(crate) fn figures_start() -> FiguresStart {
    let headline = |value: &str, hidden| Headline {
        value: value.into(),
        hidden,
        label: "people supported, October to December 2024".into(),
        note: "92 the quarter before".into(),
    };
    let site = |key: &str, balances| SiteCard {
        key: key.into(),
        title: "Chelsea and Westminster".into(),
        partners: "Positively UK, Plushealth and Sophia Forum".into(),
        figures: "/sites/west/figures?quarter=2024-Q4".into(),
        headlines: vec![headline("126", false), headline("hidden", true)],
        worklists: vec![Tile {
            href: "/sites/west/worklists/due".into(),
            title: "First conversation due",
            count: "2".into(),
            empty: false,
            clinic_only: true,
        }],
        ledger: LedgerLine {
            words: "312 triggers since 1 April 2024, all accounted for".into(),
            balances,
            standings: vec![("Engaged".into(), "201".into())],
        },
    };
    FiguresStart {
        now: "6 January 2025, 8:30am".into(),
        quarter: "October to December 2024".into(),
        sites: vec![site("west", true), site("north", false)],
    }
}

pub(crate) fn figures(masked: bool) -> Figures {
    let row = |id, hidden| Row {
        id,
        version: 1,
        title: "Newly diagnosed people who engaged".into(),
        period: "April to December 2024".into(),
        value: "45 of 76".into(),
        more: "59 %; the true share lies between 48 % and 70 % (95 % interval)".into(),
        hidden,
    };
    Figures {
        site: "west".into(),
        site_title: "Chelsea and Westminster".into(),
        quarter: "2024-Q4".into(),
        quarter_words: "October to December 2024".into(),
        as_of: "6 January 2025".into(),
        running: !masked,
        masked,
        audiences: vec![link("Small numbers hidden"), link("All numbers")],
        quarters: vec![link("July to September 2024"), link("October to December 2024")],
        sections: vec![
            Section {
                heading: "Newly diagnosed people",
                rows: vec![row("newly-diagnosed-engaged", false), row("newly-diagnosed-moved", true)],
            },
            Section { heading: "Nothing here", rows: vec![] },
        ],
        charts: charts(),
        downloads: vec![link("Download as JSON"), link("Download as CSV")],
    }
}

pub(crate) fn paging() -> Paging {
    Paging { page: 2, pages: 3, previous: Some("/quarantined?page=1".into()), next: Some("/quarantined?page=3".into()) }
}

pub(crate) fn worklist(kind: WorklistKind, full: bool) -> Worklist {
    let line = |urgency| Line {
        href: "/people/per_00000000000000000000000000000001".into(),
        name: NAME.into(),
        age: "aged 34".into(),
        reason: "Newly diagnosed; tried 2 times".into(),
        waiting: "12 days".into(),
        due: "was due 3 January 2025, 1 working day ago".into(),
        urgency,
        supporter: "Dele".into(),
    };
    let urgencies = [Urgency::Late, Urgency::Soon, Urgency::Calm].into_iter().cycle();
    Worklist {
        site: "west".into(),
        site_title: "Chelsea and Westminster".into(),
        kind,
        title: kind.words(),
        introduction: "What it is for.",
        empty: "Nobody waits.",
        clinic_only: kind.is_clinics(),
        total: 60,
        total_words: "60 people".into(),
        lines: if full { urgencies.take(25).map(line).collect() } else { Vec::new() },
        paging: paging(),
        tabs: vec![Tab { link: link("First conversation due"), count: "60".into(), clinic_only: false }],
    }
}

pub(crate) fn quarantined(full: bool) -> Quarantined {
    let message = SetAside {
        id: "msg_00000000000000000000000000000001".into(),
        feed: "CareFlow (HL7 v2.4, UK A.2, MLLP), North Middlesex".into(),
        kind: "ORU^R01".into(),
        received: "2 January 2025, 9:14am".into(),
        kept_until: "1 February 2025, 9:14am".into(),
        problems: vec![("OBX[3]-5[2].1".into(), "the code is not in the profile".into())],
    };
    let waiting = FeedWaiting { key: "northmid".into(), words: message.feed.clone(), count: "60 messages".into() };
    Quarantined {
        total: 60,
        by_feed: if full { vec![waiting] } else { Vec::new() },
        messages: if full { vec![message; 25] } else { Vec::new() },
        paging: paging(),
    }
}

fn referral(urgency: Urgency) -> Ref {
    Ref {
        why: "/referrals/ref_00000000000000000000000000000001/why".into(),
        reason: "Newly diagnosed".into(),
        raised: "2 January 2025, 9:14am".into(),
        stage: "Being contacted".into(),
        standing: "Dele is trying to reach the person.".into(),
        next: "A first conversation.".into(),
        due: Some("due 7 January 2025, 1 working day left".into()),
        urgency,
        supporter: Some("Dele".into()),
    }
}

fn wellbeing(once: Option<&str>) -> Wellbeing {
    let mut chart = charts().remove(2);
    chart.id = format!("line-{}", once.is_some());
    let trend = Trend { direction: "Higher is better.", chart };
    Wellbeing { instrument: "Personal well-being (ONS4)".into(), once: once.map(str::to_owned), trends: vec![trend] }
}

/// A person with as much as a page ever shows.
pub(crate) fn person() -> PersonPage {
    let contact = Contact {
        on: "6 January 2025".into(),
        way: "Telephone".into(),
        outcome: "Had a conversation".into(),
        length: "25 minutes".into(),
        supporter: "Dele".into(),
        note: "<script>alert(1)</script> a few words ".repeat(8),
    };
    let entry = Entry {
        when: "2 January 2025, 9:14am".into(),
        what: vec!["Referral raised: newly diagnosed".into(), "Became known to the service".into()],
        by: "Cerner Millennium (HL7 v2.3, MLLP), Chelsea and Westminster".into(),
        why: vec![("Message", "ORU^R01 from Cerner Millennium".into()), ("Rule", "A confirmed laboratory result".into())],
    };
    PersonPage {
        moved_to: None,
        name: NAME.into(),
        age: "aged 34".into(),
        site: "west".into(),
        site_title: "Chelsea and Westminster".into(),
        clinic_only: true,
        notices: vec!["This person has died on 28 December 2024. Everything has stopped; nothing will be sent.".into()],
        current: Some(referral(Urgency::Soon)),
        earlier: vec![referral(Urgency::Calm)],
        safe: safe_contact(),
        facts: vec![Fact { term: "Telephone", value: "07700 900123".into() }],
        actions: vec![link("Record notice")],
        open_questions: vec![("Newly diagnosed, or known before?".into(), "A clinician answers.".into())],
        answered: vec![Answered {
            question: "Newly diagnosed, or known before?",
            answer: "Newly diagnosed".into(),
            by: "Aoife Brennan".into(),
        }],
        contacts: vec![contact; 20],
        older_contacts: 3,
        wellbeing: vec![wellbeing(None), wellbeing(Some("30 September 2024"))],
        sent: vec![SentLine {
            what: "In contact".into(),
            standing: "Filed in CareFlow, today at 2:02pm: accepted, number 4711.".into(),
            stopped: false,
        }],
        timeline: vec![entry; 40],
        older: 12,
    }
}

pub(crate) fn why() -> WhyPage {
    let step = |heading| Step { heading, sentences: vec!["A sentence.".into()], details: vec![("Type", "ORU^R01".into())] };
    WhyPage {
        referral: "ref_00000000000000000000000000000001".into(),
        person: "/people/per_00000000000000000000000000000001".into(),
        site_title: "Chelsea and Westminster".into(),
        reason: "newly diagnosed".into(),
        stage: "Awaiting notice".into(),
        clinic_only: true,
        steps: ["The message", "The rule", "The decision", "The notice"].map(step).into(),
        since: vec![("2 January 2025, 9:14am".into(), "Referral raised".into(), "feed west".into())],
    }
}

pub(crate) fn found() -> Vec<Found> {
    let one = |died| Found {
        href: "/people/per_00000000000000000000000000000001".into(),
        name: NAME.into(),
        age: "aged 34".into(),
        born: "born 2 May 1990".into(),
        died,
    };
    vec![one(false), one(true)]
}

fn safe_contact() -> SafeContactBox {
    SafeContactBox {
        is_known: true,
        channel: "Telephone call".into(),
        when: "evenings and weekends".into(),
        who_may_answer: "nobody else".into(),
        voicemail: "Do not leave a message",
        name_to_say: NAME.into(),
        notes: "Never before noon".into(),
        telephone: None,
        recorded: Some("Inês, 6 January 2025".into()),
        form: alongside_domain::safe_contact::SafeContactForm::default(),
        may_change: true,
    }
}

/// Answers by private link, one with words that would be a script.
pub(super) fn replies() -> Vec<ReplyLine> {
    let line = |words: &str, urgency| ReplyLine {
        handled: "/replies/rep_1/handled".into(),
        href: "/people/1".into(),
        name: NAME.into(),
        said: "Yes please".into(),
        words: words.into(),
        when: "today".into(),
        urgency,
    };
    vec![line("", Urgency::Calm), line(NAME, Urgency::Soon)]
}
