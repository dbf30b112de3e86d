//! The templates with what each is filled from. A test renders every one of them with samples.

use alongside_app::Invalid;
use alongside_app::pages::words::Urgency;
use alongside_app::pages::{
    Figures, FiguresStart, Found, Link, PersonPage as Person, Quarantined, Trend, Wellbeing, WhyPage as Why, Worklist,
};
use alongside_domain::access::Action;
use askama::Template;

use super::assets::ADDRESSES;
use super::chart::Drawing;
use super::demo::{self, Bar, Below, ReadBelow};
use super::measures::Document;
use super::seat::Seat;
use super::{Options, Web};

/// What stands around every page, `base.html` and `base_private.html` alike.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) demo: bool,
    pub(crate) base_css: &'static str,
    pub(crate) own_css: &'static str,
    pub(crate) own_js: &'static str,
    pub(crate) parts_js: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) plain_icon: &'static str,
    pub(crate) theme: Theme,
    /// The main pages of the viewer's role.
    pub(crate) nav: Vec<NavLink>,
    pub(crate) trail: Vec<Link>,
    /// At the foot: what everybody who is signed in may read.
    pub(crate) foot: Vec<Link>,
    /// Who is signed in.
    pub(crate) who: Option<Who>,
    /// Goes with every form that changes something.
    pub(crate) token: String,
    /// What was just done, in words without a name.
    pub(crate) flash: Option<String>,
    /// In the demo: who one is, and its clock.
    pub(crate) bar: Option<Bar>,
    /// In the demo: reads what stands below the page, when the page is filled in and what it did itself has happened.
    pub(crate) below: Option<ReadBelow>,
}

/// The service's own look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Theme {
    /// What the service calls the program: in the header, and at the end of each title.
    pub(crate) name: String,
    /// The style sheet that comes after ours, at `/theme.css`.
    pub(crate) sheet: Option<String>,
}

impl Default for Theme {
    fn default() -> Self {
        Self { name: "Alongside".to_owned(), sheet: None }
    }
}

/// A main page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NavLink {
    pub(crate) href: String,
    pub(crate) words: String,
    /// Whether it is the page on which it stands.
    pub(crate) current: bool,
    /// What waits there, in a word or two: `3 new`.
    pub(crate) count: Option<String>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) name: String,
    pub(crate) role: &'static str,
}

/// The main pages, in order: address, words, and what somebody must be allowed to do. The first that is theirs is where
/// their day begins.
const NAV: [(&str, &str, Action); 14] = [
    ("/clinic", "Clinic", Action::SeeClinicLists),
    ("/questions", "Questions", Action::SeeQuestions),
    (CONCERNS, "Concerns", Action::SeeConcerns),
    ("/today", "Today", Action::RecordContact),
    ("/my-people", "My people", Action::RecordContact),
    ("/coordination", "Coordination", Action::SeeCapacity),
    ("/access", "Who saw what", Action::SeeAccess),
    ("/access/entitled", "Who may see what", Action::SeeEntitled),
    (GLASS, "Break-glass", Action::ReviewGlass),
    ("/access/exports", "Taken away", Action::SeeAccess),
    ("/feeds", "Feeds", Action::SeeFeeds),
    ("/search", "Find a person", Action::FindPerson),
    ("/figures", "Figures", Action::SeeFigures),
    ("/quarantined", "Set aside", Action::SeeQuarantine),
];

/// Where concerns stand.
const CONCERNS: &str = "/concerns";
/// Where uses of break-glass are reviewed.
const GLASS: &str = "/access/glass";

/// At the foot of every page.
const FOOT: [(&str, &str); 1] = [("/measures", "What each figure means")];

impl Frame {
    /// Around a page for nobody in particular: before sign-in, and what went wrong on the way.
    pub(crate) fn new(options: &Options) -> Self {
        let addresses = &*ADDRESSES;
        Self {
            demo: options.demo,
            base_css: &addresses.base_css,
            own_css: &addresses.own_css,
            own_js: &addresses.own_js,
            parts_js: &addresses.parts_js,
            icon: &addresses.icon,
            plain_icon: &addresses.plain_icon,
            theme: options.theme.clone(),
            nav: Vec::new(),
            trail: Vec::new(),
            foot: Vec::new(),
            who: None,
            token: String::new(),
            flash: None,
            bar: None,
            below: None,
        }
    }

    /// Around a page of somebody who is signed in.
    pub(crate) fn of(web: &Web, seat: &Seat) -> Self {
        let viewer = seat.desk.viewer();
        let allowed = NAV.iter().filter(|(_, _, action)| viewer.cleared && seat.desk.may_do(*action).is_ok());
        let current = nearest(&seat.path);
        let nav = allowed.map(|(href, words, _)| NavLink {
            href: (*href).to_owned(),
            words: (*words).to_owned(),
            current: current == Some(*href),
            count: match *href {
                GLASS if seat.to_review > 0 => Some(format!("{} to review", seat.to_review)),
                CONCERNS if seat.concerns > 0 => Some(format!("{} open", seat.concerns)),
                _ => None,
            },
        });
        let (bar, below) = demo::around(web, seat).unzip();
        Self {
            bar,
            below,
            who: Some(Who { name: seat.desk.app().setup.name_of(&viewer.staff.0), role: viewer.role.words() }),
            token: seat.form_token.clone(),
            flash: seat.done.map(|done| done.words().to_owned()),
            nav: nav.collect(),
            foot: FOOT.iter().map(|(href, words)| link(href, words)).collect(),
            ..Self::new(&web.options)
        }
    }

    /// What stands below the page in the demo.
    pub(crate) fn below(&self) -> Option<Below> {
        self.below.as_ref().and_then(|read| read())
    }

    /// The way to a page: from the page above it, and so on.
    pub(crate) fn under(mut self, trail: &[(&str, &str)]) -> Self {
        self.trail = trail.iter().map(|(href, words)| link(href, words)).collect();
        self
    }
}

/// The main page to which a path belongs: the longest that it begins with.
fn nearest(path: &str) -> Option<&'static str> {
    let holds = |href: &&str| path.strip_prefix(*href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    NAV.iter().map(|(href, _, _)| *href).filter(holds).max_by_key(|href| href.len())
}

fn link(href: &str, words: &str) -> Link {
    Link { href: href.to_owned(), words: words.to_owned(), current: false }
}

#[derive(Template)]
#[template(path = "figures_start.html")]
pub(crate) struct FiguresStartPage {
    pub(crate) frame: Frame,
    pub(crate) page: FiguresStart,
}

#[derive(Template)]
#[template(path = "figures.html")]
pub(crate) struct FiguresPage<'a> {
    pub(crate) frame: Frame,
    pub(crate) page: &'a Figures,
    pub(crate) drawings: Vec<Drawing<'a>>,
}

#[derive(Template)]
#[template(path = "worklist.html")]
pub(crate) struct WorklistPage {
    pub(crate) frame: Frame,
    pub(crate) page: Worklist,
}

#[derive(Template)]
#[template(path = "quarantined.html")]
pub(crate) struct QuarantinedPage {
    pub(crate) frame: Frame,
    pub(crate) page: Quarantined,
    pub(crate) total: String,
}

/// A trend with its drawing.
pub(crate) type Drawn<'a> = (&'a Trend, Drawing<'a>);

/// What each instrument says, with its drawings.
pub(crate) fn drawn(page: &Person) -> Vec<(&Wellbeing, Vec<Drawn<'_>>)> {
    page.wellbeing
        .iter()
        .map(|wellbeing| (wellbeing, wellbeing.trends.iter().map(|trend| (trend, Drawing::of(&trend.chart))).collect()))
        .collect()
}

#[derive(Template)]
#[template(path = "person.html")]
pub(crate) struct PersonPage<'a> {
    pub(crate) frame: Frame,
    pub(crate) page: &'a Person,
    pub(crate) wellbeing: Vec<(&'a Wellbeing, Vec<Drawn<'a>>)>,
}

#[derive(Template)]
#[template(path = "why.html")]
pub(crate) struct WhyPage {
    pub(crate) frame: Frame,
    pub(crate) page: Why,
}

/// A site to choose.
pub(crate) struct Choice {
    pub(crate) key: String,
    pub(crate) title: String,
}

#[derive(Template)]
#[template(path = "search.html")]
pub(crate) struct SearchPage {
    pub(crate) frame: Frame,
    pub(crate) sites: Vec<Choice>,
    pub(crate) chosen: String,
    pub(crate) text: String,
    pub(crate) problem: Option<Invalid>,
    pub(crate) found: Option<Vec<Found>>,
    pub(crate) summary: String,
    /// Whether closed records can be opened by whoever looks.
    pub(crate) closed: bool,
}

#[derive(Template)]
#[template(path = "measures.html")]
pub(crate) struct MeasuresPage<'a> {
    pub(crate) frame: Frame,
    pub(crate) document: &'a Document,
}

/// A private page that does not open.
#[derive(Template)]
#[template(path = "yours_closed.html")]
pub(crate) struct ClosedPage {
    pub(crate) frame: Frame,
    pub(crate) title: &'static str,
    pub(crate) words: &'static str,
}

#[derive(Template)]
#[template(path = "problem.html")]
pub(crate) struct ProblemPage {
    pub(crate) frame: Frame,
    pub(crate) title: &'static str,
    pub(crate) lines: Vec<String>,
    pub(crate) reference: Option<String>,
}
