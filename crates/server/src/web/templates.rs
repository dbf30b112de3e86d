//! The templates with what each is filled from. A test renders every one of them with samples.

use alongside_app::Invalid;
use alongside_app::pages::words::Urgency;
use alongside_app::pages::{Figures, Found, Link, PersonPage as Person, Quarantined, Start, Trend, Wellbeing, WhyPage as Why, Worklist};
use askama::Template;

use super::Options;
use super::assets::ADDRESSES;
use super::chart::Drawing;
use super::measures::Document;

/// What stands around every page.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) demo: bool,
    pub(crate) base_css: &'static str,
    pub(crate) own_css: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) nav: Vec<Link>,
    pub(crate) trail: Vec<Link>,
}

/// The main pages: address and words.
const NAV: [(&str, &str); 3] = [("/", "Start"), ("/search", "Find a person"), ("/quarantined", "Set aside")];

impl Frame {
    pub(crate) fn new(options: Options) -> Self {
        let nav = NAV.iter().map(|(href, words)| link(href, words)).collect();
        let addresses = &*ADDRESSES;
        let (base_css, own_css, icon) = (&addresses.base_css, &addresses.own_css, &addresses.icon);
        Self { demo: options.demo, base_css, own_css, icon, nav, trail: Vec::new() }
    }

    /// Marks the main page on which one is.
    pub(crate) fn at(mut self, href: &str) -> Self {
        for link in &mut self.nav {
            link.current = link.href == href;
        }
        self
    }

    /// The way from the start page to a page of a site.
    pub(crate) fn within(mut self, site: &str, title: &str) -> Self {
        self.trail = vec![link("/", "Start"), link(&format!("/#site-{site}"), title)];
        self
    }

    /// The way back to the start page.
    pub(crate) fn with_start(mut self) -> Self {
        self.trail = vec![link("/", "Start")];
        self
    }
}

fn link(href: &str, words: &str) -> Link {
    Link { href: href.to_owned(), words: words.to_owned(), current: false }
}

#[derive(Template)]
#[template(path = "start.html")]
pub(crate) struct StartPage {
    pub(crate) frame: Frame,
    pub(crate) page: Start,
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
}

#[derive(Template)]
#[template(path = "measures.html")]
pub(crate) struct MeasuresPage<'a> {
    pub(crate) frame: Frame,
    pub(crate) document: &'a Document,
}

#[derive(Template)]
#[template(path = "problem.html")]
pub(crate) struct ProblemPage {
    pub(crate) frame: Frame,
    pub(crate) title: &'static str,
    pub(crate) lines: Vec<String>,
    pub(crate) reference: Option<String>,
}
