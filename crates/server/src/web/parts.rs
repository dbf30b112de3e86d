//! What the parts of forms in `templates/macros.html` are filled from.

use alongside_app::Invalid;

/// What is wrong with a form, each problem at the id of its field. Nothing, before the form was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Problems(Vec<Invalid>);

impl Problems {
    pub(crate) fn new(problems: Vec<Invalid>) -> Self {
        Self(problems)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn all(&self) -> &[Invalid] {
        &self.0
    }

    /// What is wrong at a field; empty when nothing is. Of several problems the first, so that one thing is asked at a time.
    pub(crate) fn at(&self, field: &str) -> &str {
        self.0.iter().find(|problem| problem.place == field).map_or("", |problem| &problem.what)
    }
}

/// One of the things to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pick {
    /// What is sent.
    pub(crate) value: String,
    /// What it says.
    pub(crate) words: String,
    /// A sentence more, or nothing.
    pub(crate) hint: String,
    pub(crate) chosen: bool,
}

impl Pick {
    /// One of several, with the chosen one marked.
    pub(crate) fn new(value: &str, words: &str, chosen: &str) -> Self {
        Self { value: value.into(), words: words.into(), hint: String::new(), chosen: value == chosen }
    }

    pub(crate) fn with_hint(mut self, hint: &str) -> Self {
        self.hint = hint.into();
        self
    }
}

/// A line of a task list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Task {
    /// Where to do it; empty while it cannot be started.
    pub(crate) href: String,
    pub(crate) words: String,
    pub(crate) hint: String,
    /// An adjective: `Completed`, `Incomplete`, `Cannot start yet`.
    pub(crate) status: String,
    pub(crate) done: bool,
}

/// Somebody whom a visitor of the demo may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RoleCard {
    /// What is sent as `who`.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) role: String,
    /// What the day of such a person is about.
    pub(crate) does: String,
}

#[cfg(test)]
mod tests {
    use alongside_app::pages::Fact;
    use askama::Template;

    use super::super::templates::{Frame, NavLink, Theme, Who};
    use super::super::{Options, fill};
    use super::*;

    /// A page with every part. It is rendered by the tests alone.
    #[derive(Template)]
    #[template(path = "parts_sample.html")]
    struct Sample {
        frame: Frame,
        problems: Problems,
        picks: Vec<Pick>,
        given: Vec<Fact>,
        tasks: Vec<Task>,
        cards: Vec<RoleCard>,
    }

    #[derive(Template)]
    #[template(source = "{% extends \"base_private.html\" %}{% block main %}<h1>Hello</h1>{% endblock %}", ext = "html")]
    struct Private {
        frame: Frame,
    }

    fn frame() -> Frame {
        let mut frame = Frame::new(&Options { demo: true, ..Options::default() });
        let page = |href: &str, words: &str, current, count: Option<&str>| NavLink {
            href: href.into(),
            words: words.into(),
            current,
            count: count.map(Into::into),
        };
        frame.nav = vec![page("/today", "Today", true, Some("3 due")), page("/people", "My people", false, None)];
        frame.who = Some(Who { name: "Ines <b>".into(), role: "Peer supporter" });
        frame.token = "t0ken".into();
        frame.flash = Some("The note was kept.".into());
        frame
    }

    fn sample(problems: Vec<Invalid>) -> String {
        let way = |value, words| Pick::new(value, words, "call");
        fill(&Sample {
            frame: frame(),
            problems: Problems::new(problems),
            picks: vec![way("visit", "Face to face"), way("call", "Telephone"), way("video", "Video").with_hint("Any kind")],
            given: vec![Fact { term: "Way", value: "Telephone".into() }],
            tasks: vec![
                Task { href: "/one".into(), words: "One".into(), hint: "First".into(), status: "Completed".into(), done: true },
                Task { words: "Two".into(), status: "Cannot start yet".into(), ..Task::default() },
            ],
            cards: vec![RoleCard { key: "ines".into(), name: "Ines".into(), role: "Peer supporter".into(), does: "Her day".into() }],
        })
        .unwrap()
    }

    /// What stands between two texts, each time that it does.
    fn between<'a>(page: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
        page.split(before).skip(1).map(move |rest| rest.split(after).next().unwrap_or_default())
    }

    fn ids(page: &str) -> Vec<&str> {
        between(page, " id=\"", "\"").collect()
    }

    #[test]
    fn every_reference_of_every_part_finds_its_own() {
        let fields = ["name", "secret", "words", "way", "needs", "told", "site", "on", "list"];
        let wrong = fields.map(|field| Invalid::new(field, format!("Wrong {field}"))).to_vec();
        for problems in [Vec::new(), wrong] {
            let page = sample(problems);
            let mut ids = ids(&page);
            for attribute in [" aria-labelledby=\"", " aria-describedby=\"", " for=\"", " aria-controls=\"", "href=\"#"] {
                for wanted in between(&page, attribute, "\"").flat_map(str::split_whitespace) {
                    assert!(ids.contains(&wanted), "{attribute}{wanted}");
                }
            }
            ids.sort_unstable();
            assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
        }
    }

    #[test]
    fn a_problem_stands_at_its_field_and_in_the_summary_and_nowhere_else() {
        let page = sample(vec![Invalid::new("on", "Enter a day"), Invalid::new("on", "and another")]);
        assert_eq!(page.matches("Enter a day").count(), 2);
        assert_eq!(page.matches("and another").count(), 1, "one at the field, all in the summary");
        assert!(page.contains("<a href=\"#on\">Enter a day</a>"));
        assert!(ids(&page).contains(&"on-error") && !ids(&page).contains(&"name-error"));
        assert!(!sample(Vec::new()).contains("nhsuk-error"), "nothing of it when nothing is wrong");
    }

    #[test]
    fn what_was_chosen_is_chosen_again_and_what_was_written_is_escaped() {
        let page = sample(Vec::new());
        assert!(page.contains("value=\"call\" checked") && !page.contains("value=\"visit\" checked"));
        assert!(page.contains("<option value=\"call\" selected>"));
        assert!(page.contains("&#60;b&#62;") && !page.contains("<b>"));
    }

    #[test]
    fn the_frame_says_who_is_signed_in_and_where_they_are() {
        let page = sample(Vec::new());
        for part in
            ["Peer supporter", "aria-current=\"page\">Today", "3 due", "action=\"/sign-out\"", "value=\"t0ken\"", "The note was kept."]
        {
            assert!(page.contains(part), "{part}");
        }
        assert!(page.contains("Private: close this page on shared computers."));
    }

    #[test]
    fn a_site_may_call_it_something_else() {
        let mut frame = frame();
        assert!(!fill(&Private { frame: frame.clone() }).unwrap().contains("theme.css"));
        frame.theme = Theme { name: "Side by Side".into(), sheet: Some(String::new()) };
        let page = fill(&Sample {
            frame,
            problems: Problems::default(),
            picks: Vec::new(),
            given: Vec::new(),
            tasks: Vec::new(),
            cards: Vec::new(),
        });
        let page = page.unwrap();
        assert!(page.contains("– Side by Side</title>") && page.contains("href=\"/theme.css\""));
        assert!(!page.contains("<span>Alongside</span>"));
    }

    #[test]
    fn the_private_page_gives_nothing_away() {
        let page = fill(&Private { frame: frame() }).unwrap();
        assert!(page.contains("<title>Your page</title>") && page.contains("href=\"/leave\""));
        let said = page.replace("/alongside.css", "").replace("/alongside.js", "").to_lowercase();
        for telling in ["alongside", "hiv", "peer", "clinic", "hospital", "health", "nhs.uk", "ines", "supporter"] {
            assert!(!said.contains(telling), "{telling} in {said}");
        }
        assert!(!page.contains("mark.svg"), "the mark of the program is not shown either");
    }
}
