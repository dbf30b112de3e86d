//! The integration engineer at work: messages that were set aside are read again, and their text is opened with a reason.

use alongside_domain::access::{self, Action};
use alongside_domain::glass::{MESSAGE_OPEN_HOURS, REASON_CHARS_MIN, WORDS_CHARS_MAX};
use alongside_domain::id::{GlassId, MessageId};
use alongside_store::page_reads::{self, SetAside};
use alongside_store::standing::{self, Glass};
use alongside_store::{Tx, messages};
use jiff::SignedDuration;

use super::Desk;
use crate::Failure;
use crate::intake::{Fate, Replayed};
use crate::setup::Feed;

/// How many problems of a message are shown on its own page.
const PROBLEMS_MAX: u32 = 50;

impl Desk {
    /// A message of one of the viewer's sites, with its state and its feed.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for another site's, as for none; [`Failure::Forbidden`]; the store's.
    pub(crate) fn message(&self, tx: &mut Tx<'_>, action: Action, id: MessageId) -> Result<(SetAside, String, Feed), Failure> {
        self.may_do(action)?;
        let (message, state) = page_reads::set_aside_one(tx, id, PROBLEMS_MAX)?.ok_or(Failure::NotFound)?;
        // An applied message is somebody's history, not the engineer's work.
        let feed = self.app().setup.feeds.get(&message.feed).filter(|_| state != "applied").ok_or(Failure::NotFound)?;
        access::may_at(self.viewer(), action, &feed.site)?;
        Ok((message, state, feed.clone()))
    }

    /// Reads a message that is set aside again, with its feed's profile as it is today. One that is not set aside any more
    /// is left alone: nothing is done twice.
    ///
    /// # Errors
    /// Those of [`Desk::message`].
    pub fn replay_message(&self, id: MessageId) -> Result<Fate, Failure> {
        let site = self.app().store.read(|tx| Ok::<_, Failure>(self.message(tx, Action::Replay, id)?.2.site))?;
        let desk = self.clone();
        self.disclose(Action::Replay, Some(&site), move |tx, seen| {
            seen.detail(format!("message:{id}"));
            let (_, _, feed) = desk.message(tx, Action::Replay, id)?;
            desk.app().replay_in(tx, &feed, id)
        })
    }

    /// Reads all messages of a feed that are set aside again, oldest first, each in a transaction of its own.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for another site's feed, as for none; [`Failure::Forbidden`]; the store's.
    pub fn replay_feed(&self, key: &str) -> Result<Replayed, Failure> {
        self.may_do(Action::Replay)?;
        let feed = self.app().setup.feeds.get(key).ok_or(Failure::NotFound)?;
        access::may_at(self.viewer(), Action::Replay, &feed.site)?;
        let mut replayed = Replayed::default();
        for line in self.app().store.read(|tx| messages::set_aside(tx, &feed.key))? {
            match self.replay_message(line.id)? {
                Fate::Applied => replayed.applied += 1,
                Fate::Discarded | Fate::Duplicate => replayed.discarded += 1,
                Fate::Quarantined | Fate::Refused => replayed.still_set_aside += 1,
            }
        }
        Ok(replayed)
    }

    /// Opens the text of a message for [`MESSAGE_OPEN_HOURS`], with a reason that information governance is told.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for too short a reason; those of [`Desk::message`].
    pub fn open_text(&self, id: MessageId, reason: &str, once: &str) -> Result<(), Failure> {
        self.may_do(Action::SeeRaw)?;
        let reason = reason.trim().to_owned();
        let length = reason.chars().count();
        let site = self.app().store.read(|tx| Ok::<_, Failure>(self.message(tx, Action::SeeRaw, id)?.2.site))?;
        if !(REASON_CHARS_MIN..=WORDS_CHARS_MAX).contains(&length) {
            let what = format!("Enter a reason of at least {REASON_CHARS_MIN} and at most {WORDS_CHARS_MAX} characters");
            return Err(Failure::invalid("reason", what));
        }
        let (desk, once) = (self.clone(), once.to_owned());
        self.disclose(Action::BreakGlass, Some(&site.clone()), move |tx, seen| {
            seen.detail(format!("message:{id}"));
            if messages::raw(tx, id)?.is_none() {
                return Err(Failure::NotFound);
            }
            if !desk.once(tx, &once, &id)? {
                return Ok(());
            }
            let at = desk.app().world.now();
            let glass = Glass {
                id: GlassId::new(&mut *desk.app().world.ids()),
                staff: desk.staff().clone(),
                site: site.clone(),
                person: None,
                message: Some(id),
                reason: "message-text".into(),
                words: reason.clone(),
                at,
                until: at + SignedDuration::from_hours(MESSAGE_OPEN_HOURS),
                reviewed: None,
            };
            Ok(standing::break_glass(tx, &glass)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::App;
    use crate::pages::RawPage;
    use crate::testing::FixedWorld;
    use alongside_domain::glass::Finding;
    use alongside_store::Store;
    use alongside_store::testing::both_engines;
    use std::sync::Arc;

    /// A result with a code that looks like one of ours and is not in the profile.
    const UNKNOWN: &str = "MSH|^~\\&|CERNER|RQM|TIE|RQM|20250102091400||ORU^R01|90001|P|2.3\r\
        PID|1||7700001^^^RQM MRN^MRN||ASHDOWN^MIRIAM||19900502|F\r\
        OBR|1||L1|HIVCF2^HIV confirmatory|||20250102080000\r\
        OBX|1|ST|HIVCF2^HIV confirmatory||HIV-1 CONFIRMED||||||F\r";

    fn with_one_set_aside(store: Store) -> (App, Arc<FixedWorld>, MessageId) {
        let world = FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap());
        let app = crate::testing::app(store, Arc::clone(&world));
        assert_eq!(app.receive(&app.setup.feeds["chelwest"], UNKNOWN.as_bytes()).fate, Fate::Quarantined);
        app.flush().unwrap();
        let waiting = app.store.read(|tx| messages::set_aside(tx, "chelwest")).unwrap();
        (app, world, waiting[0].id)
    }

    /// The same application with a profile that knows the code.
    fn mended(app: &App) -> App {
        let text =
            include_str!("../../../../profiles/cerner-millennium.toml").replace("codes = [\"HIVCF\"]", "codes = [\"HIVCF\", \"HIVCF2\"]");
        let mut setup = crate::testing::app(app.store.clone(), FixedWorld::at(app.world.now())).setup;
        let feeds = &mut Arc::get_mut(&mut setup).unwrap().feeds;
        feeds.get_mut("chelwest").unwrap().profile = crate::profile::bind(&text, "chelwest", &["RQM".into()]).unwrap();
        App { setup, ..app.clone() }
    }

    #[test]
    fn a_message_is_read_again_once_and_its_problems_are_told_anew() {
        both_engines(|store| {
            let (app, _, id) = with_one_set_aside(store);
            let wei = app.desk("engineer-wei").unwrap();
            let before = wei.message_page(id).unwrap();
            assert!(before.is_set_aside && !before.message.problems.is_empty());
            assert_eq!(wei.replay_message(id), Ok(Fate::Quarantined));
            assert_eq!(wei.message_page(id).unwrap(), before, "the same problems, not twice");
            let app = mended(&app);
            let wei = app.desk("engineer-wei").unwrap();
            assert_eq!(wei.replay_message(id), Ok(Fate::Applied));
            assert_eq!(wei.replay_message(id), Ok(Fate::Duplicate), "nothing is done twice");
            assert_eq!(app.desk("nurse-aoife").unwrap().search("chelwest", "ashdown").unwrap().len(), 1);
            assert!(!wei.message_page(id).unwrap().is_set_aside);
            assert_eq!(wei.quarantined_page(1).unwrap().total, 0);
        });
    }

    #[test]
    fn all_messages_of_a_feed_are_read_again_by_whoever_may() {
        both_engines(|store| {
            let (app, _, id) = with_one_set_aside(store);
            let app = mended(&app);
            let wei = app.desk("engineer-wei").unwrap();
            assert_eq!(wei.replay_feed("nowhere"), Err(Failure::NotFound));
            for other in ["nurse-aoife", "coordinator-leila", "governance-martin", "manager-frances", "ines"] {
                let desk = app.desk(other).unwrap();
                assert_eq!(desk.replay_feed("chelwest"), Err(Failure::Forbidden), "{other}");
                assert_eq!(desk.replay_message(id), Err(Failure::Forbidden), "{other}");
                assert_eq!(desk.open_text(id, "a reason that is long enough", ""), Err(Failure::Forbidden), "{other}");
                assert_eq!(desk.feeds_page().map(drop), Err(Failure::Forbidden), "{other}");
            }
            assert_eq!(wei.replay_feed("chelwest"), Ok(Replayed { applied: 1, ..Replayed::default() }));
        });
    }

    #[test]
    fn text_opens_with_a_reason_for_an_hour_and_governance_reviews_it() {
        both_engines(|store| {
            let (app, world, id) = with_one_set_aside(store);
            let wei = app.desk("engineer-wei").unwrap();
            let martin = app.desk("governance-martin").unwrap();
            assert!(matches!(wei.text_page(id), Ok(RawPage::Closed(_))));
            assert!(matches!(wei.open_text(id, "   too short      ", "a"), Err(Failure::Invalid(_))));
            assert_eq!(martin.glass_to_review(), Ok(0));
            for _ in 0..2 {
                wei.open_text(id, "The lab changed its codes last night", "once").unwrap();
            }
            assert_eq!((martin.glass_to_review(), wei.glass_to_review()), (Ok(1), Ok(0)));
            let RawPage::Open { lines, .. } = wei.text_page(id).unwrap() else { panic!("open") };
            assert_eq!((lines.len(), lines[1].segment.as_str()), (4, "PID"));
            assert!(lines[1].rest.contains("ASHDOWN"));
            let page = martin.glass_page().unwrap();
            let [card] = page.waiting.as_slice() else { panic!("{page:?}") };
            assert_eq!((card.looked.len(), card.words.as_str()), (1, "The lab changed its codes last night"));
            let glass = card.href.strip_prefix("/access/glass/").unwrap().parse().unwrap();
            assert!(matches!(martin.review_glass(glass, None, ""), Err(Failure::Invalid(problems)) if problems.len() == 2));
            assert_eq!(wei.review_glass(glass, Some(Finding::Justified), "mine"), Err(Failure::Forbidden));
            martin.review_glass(glass, Some(Finding::Justified), "The lab confirmed it").unwrap();
            assert!(martin.review_glass(glass, Some(Finding::NotJustified), "again").is_err());
            assert_eq!((martin.glass_to_review(), martin.glass_page().unwrap().reviewed.len()), (Ok(0), 1));
            assert_eq!(martin.exports_page(true, 1).unwrap().lines.len(), 1);
            world.set("2025-01-06T09:30:00Z".parse().unwrap());
            assert!(matches!(wei.text_page(id), Ok(RawPage::Closed(_))), "an hour later it is closed");
        });
    }
}
