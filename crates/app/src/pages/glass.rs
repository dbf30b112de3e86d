//! Uses of break-glass: who opened what, why, until when, and what they then looked at.

use alongside_domain::access::Action;
use alongside_domain::id::GlassId;
use alongside_store::standing::{self, Glass};
use alongside_store::{Tx, access_reads};

use super::access::{person_path, staff_path};
use super::words;
use crate::Failure;
use crate::desk::{Desk, Seen};

/// How many uses at one site are shown.
const GLASS_MAX: u32 = 100;
/// How many lines of what was looked at are shown.
const LOOKED_MAX: u32 = 50;

/// All uses of break-glass at the viewer's sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlassPage {
    /// Those that wait for a review, the newest first.
    pub waiting: Vec<GlassCard>,
    /// Those that were reviewed, the newest first.
    pub reviewed: Vec<GlassCard>,
}

/// A use of break-glass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlassCard {
    /// Where it is reviewed.
    pub href: String,
    /// Who, and in which role.
    pub who: String,
    /// What else they did; empty where the viewer may not ask.
    pub who_href: String,
    /// At which site.
    pub site: String,
    /// When.
    pub at: String,
    /// Until when it was open.
    pub until: String,
    /// Whether it is open still.
    pub is_open: bool,
    /// The kind of reason.
    pub reason: String,
    /// The reason in their words.
    pub words: String,
    /// Whose record, or which message. A record that is shielded from the viewer too has no name here.
    pub about: String,
    /// Who saw that person; empty where the viewer may not ask.
    pub about_href: String,
    /// What they then looked at: when, and what.
    pub looked: Vec<(String, String)>,
    /// What was found, once it was reviewed.
    pub review: Option<Reviewed>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// `Justified`.
    pub finding: String,
    /// Who found it, and when.
    pub by: String,
    /// A few words.
    pub note: String,
}

impl Desk {
    /// The uses of break-glass at the viewer's sites.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn glass_page(&self) -> Result<GlassPage, Failure> {
        let desk = self.clone();
        self.disclose(Action::ReviewGlass, None, move |tx, seen| {
            let mut all = Vec::new();
            for site in desk.sites(Action::ReviewGlass) {
                all.extend(standing::glass_at(tx, &site.key, GLASS_MAX)?);
            }
            all.sort_by_key(|glass| std::cmp::Reverse((glass.at, glass.id)));
            let (mut waiting, mut reviewed) = (Vec::new(), Vec::new());
            for glass in &all {
                let card = desk.glass_card(tx, seen, glass)?;
                if card.review.is_some() { reviewed.push(card) } else { waiting.push(card) }
            }
            Ok(GlassPage { waiting, reviewed })
        })
    }

    /// One use of break-glass, to be reviewed.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for another site's, as for none; [`Failure::Forbidden`]; the store's.
    pub fn glass_one(&self, id: GlassId) -> Result<GlassCard, Failure> {
        let desk = self.clone();
        self.disclose(Action::ReviewGlass, None, move |tx, seen| {
            seen.detail(format!("glass:{id}"));
            let glass = desk.glass_at_own_site(tx, id)?;
            desk.glass_card(tx, seen, &glass)
        })
    }

    fn glass_card(&self, tx: &mut Tx<'_>, seen: &mut Seen, glass: &Glass) -> Result<GlassCard, Failure> {
        let app = self.app();
        let (about, about_href) = match (glass.person, glass.message) {
            (Some(person), _) => match self.glimpse(tx, seen, person)? {
                Some(record) => (app.who_is(&record).0, person_path(record.person.id)),
                None => ("A shielded record".to_owned(), String::new()),
            },
            (None, Some(message)) => (format!("Message {message}"), String::new()),
            (None, None) => ("Not recorded".to_owned(), String::new()),
        };
        let detail = glass.message.map_or_else(String::new, |message| format!("message:{message}"));
        let lines = access_reads::during(tx, &glass.staff, (glass.at, glass.until), glass.person, &detail, LOOKED_MAX)?;
        let looked = lines.iter().filter(|line| line.action != Action::BreakGlass.code()).map(|line| {
            let told = self.audit_line(line);
            (told.when, told.what)
        });
        let colleague = self.colleague(&glass.staff.0).ok();
        let role = colleague.as_ref().map_or_else(String::new, |colleague| format!(", {}", colleague.role.words()));
        Ok(GlassCard {
            href: format!("/access/glass/{}", glass.id),
            who: format!("{}{role}", app.setup.name_of(&glass.staff.0)),
            who_href: colleague.map_or_else(String::new, |colleague| staff_path(&colleague.id.0)),
            site: app.setup.site_title(&glass.site),
            at: words::moment(glass.at),
            until: words::moment(glass.until),
            is_open: glass.until > app.world.now(),
            reason: words::sentence(&glass.reason.replace('-', " ")),
            words: glass.words.clone(),
            about,
            about_href,
            looked: looked.collect(),
            review: glass.reviewed.as_ref().map(|review| Reviewed {
                finding: words::sentence(review.finding.words()),
                by: format!("{}, {}", app.setup.name_of(&review.by.0), words::moment(review.at)),
                note: review.note.clone(),
            }),
        })
    }
}
