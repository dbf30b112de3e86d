//! What is said about a person beside their referral: safe contact, concerns, their own answers and the link for them,
//! and forms that staff have not finished.
//!
//! Lists of these that are narrowed to whom their reader may see stand in [`crate::page_reads`].

use alongside_domain::concern::{self, Acknowledged, Concern, State};
use alongside_domain::id::{ConcernId, PersonId, ReplyId};
use alongside_domain::reply::{PersonalLink, Reply, ReplyKind};
use alongside_domain::safe_contact::{Channel, Hours, SafeContact};
use alongside_domain::supporter::StaffId;
use jiff::Timestamp;

use crate::codec::coded;
use crate::{Row, StoreError, Tx, params, statements};

statements! {
    pub(crate) const SET_CONTACT = "INSERT INTO safe_contact (person, origin, channel, hours, hours_words, who_may_answer, voicemail, name_to_say, notes, set_by, at) VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    pub(crate) const CONTACTS = "SELECT channel, hours, hours_words, who_may_answer, voicemail, name_to_say, notes, set_by, at FROM safe_contact WHERE person = $1 ORDER BY number DESC LIMIT $2";
    pub(crate) const RAISE = "INSERT INTO concern (id, person, origin, raised_by, raised_at, words, urgency, addressee) VALUES ($1, $2, $2, $3, $4, $5, $6, $7)";
    pub(crate) const CONCERN = "SELECT id, person, raised_by, raised_at, words, urgency, addressee, acknowledged_by, acknowledged_at, acknowledged_words FROM concern WHERE id = $1";
    pub(crate) const CONCERNS_OF = "SELECT id, person, raised_by, raised_at, words, urgency, addressee, acknowledged_by, acknowledged_at, acknowledged_words FROM concern WHERE person = $1 ORDER BY raised_at DESC, id DESC";
    pub(crate) const ACKNOWLEDGE = "UPDATE concern SET acknowledged_by = $2, acknowledged_at = $3, acknowledged_words = $4 WHERE id = $1 AND acknowledged_at IS NULL";
    pub(crate) const DROP_REPLY = "DELETE FROM reply WHERE person = $1 AND kind = $2 AND words = '' AND handled_at IS NULL";
    pub(crate) const ADD_REPLY = "INSERT INTO reply (id, person, origin, kind, words, at) VALUES ($1, $2, $2, $3, $4, $5)";
    pub(crate) const REPLY = "SELECT id, person, kind, words, at, handled_by, handled_at FROM reply WHERE id = $1";
    pub(crate) const REPLIES_OF = "SELECT id, person, kind, words, at, handled_by, handled_at FROM reply WHERE person = $1 ORDER BY at DESC, id DESC";
    pub(crate) const HANDLE_REPLY = "UPDATE reply SET handled_by = $2, handled_at = $3 WHERE id = $1 AND handled_at IS NULL";
    pub(crate) const ADD_LINK = "INSERT INTO personal_link (token, person, code, tries_left, made_by, made_at, opens_until) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    pub(crate) const LINK = "SELECT token, person, code, tries_left, made_by, made_at, opens_until, revoked_at, proof, proof_until FROM personal_link WHERE token = $1";
    pub(crate) const LINKS_OF = "SELECT token, person, code, tries_left, made_by, made_at, opens_until, revoked_at, proof, proof_until FROM personal_link WHERE person = $1 ORDER BY made_at DESC, token";
    pub(crate) const REVOKE_LINKS = "UPDATE personal_link SET revoked_at = $2, proof = NULL, proof_until = NULL WHERE person = $1 AND revoked_at IS NULL";
    pub(crate) const WRONG_CODE = "UPDATE personal_link SET tries_left = tries_left - 1 WHERE token = $1 AND tries_left > 0";
    pub(crate) const PROVE = "UPDATE personal_link SET tries_left = $2, proof = $3, proof_until = $4 WHERE token = $1 AND revoked_at IS NULL AND tries_left > 0";
    pub(crate) const FORGET_LINKS = "DELETE FROM personal_link WHERE opens_until < $1";
    pub(crate) const SAVE_DRAFT = "INSERT INTO draft (staff, person, form, body, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (staff, person, form) DO UPDATE SET body = excluded.body, at = excluded.at";
    pub(crate) const DRAFT = "SELECT body, at FROM draft WHERE staff = $1 AND person = $2 AND form = $3";
    pub(crate) const DROP_DRAFT = "DELETE FROM draft WHERE staff = $1 AND person = $2 AND form = $3";
    pub(crate) const FORGET_DRAFTS = "DELETE FROM draft WHERE at < $1";
    pub(crate) const MOVE_SAFE_CONTACT = "UPDATE safe_contact SET person = $2 WHERE person = $1";
    pub(crate) const MOVE_CONCERNS = "UPDATE concern SET person = $2 WHERE person = $1";
    pub(crate) const MOVE_REPLIES = "UPDATE reply SET person = $2 WHERE person = $1";
    pub(crate) const DROP_DRAFTS_ABOUT = "DELETE FROM draft WHERE person = $1";
    pub(crate) const PART_SAFE_CONTACT = "UPDATE safe_contact SET person = origin WHERE person = $1 AND origin = $2";
    pub(crate) const PART_CONCERNS = "UPDATE concern SET person = origin WHERE person = $1 AND origin = $2";
    pub(crate) const PART_REPLIES = "UPDATE reply SET person = origin WHERE person = $1 AND origin = $2";
}

/// A version of how somebody may be contacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactVersion {
    /// What it says.
    pub contact: SafeContact,
    /// Who recorded it.
    pub set_by: StaffId,
    /// When.
    pub at: Timestamp,
}

/// Keeps how somebody may be contacted, beside what was kept before.
///
/// # Errors
/// The store's.
pub fn set_contact(tx: &mut Tx<'_>, person: PersonId, version: &ContactVersion) -> Result<(), StoreError> {
    let contact = &version.contact;
    let hours: Vec<&str> = contact.hours.iter().map(|hours| hours.code()).collect();
    tx.execute(
        &SET_CONTACT,
        params![
            person.to_string(),
            contact.channel.code(),
            hours.join(" "),
            &contact.hours_words,
            &contact.who_may_answer,
            contact.voicemail,
            &contact.name_to_say,
            &contact.notes,
            &version.set_by.0,
            version.at,
        ],
    )?;
    Ok(())
}

/// How somebody may be contacted, the newest version first, at most so many.
///
/// # Errors
/// The store's.
pub fn contacts(tx: &mut Tx<'_>, person: PersonId, most: u32) -> Result<Vec<ContactVersion>, StoreError> {
    tx.query(&CONTACTS, params![person.to_string(), i64::from(most)], |row| {
        let hours: Option<Vec<Hours>> = row.text(1)?.split_whitespace().map(Hours::from_code).collect();
        let contact = SafeContact {
            channel: coded(row, 0, Channel::from_code)?,
            hours: hours.ok_or_else(|| row.corrupt(1))?,
            hours_words: row.text(2)?,
            who_may_answer: row.text(3)?,
            voicemail: row.bool(4)?,
            name_to_say: row.text(5)?,
            notes: row.text(6)?,
        };
        Ok(ContactVersion { contact, set_by: StaffId(row.text(7)?), at: row.timestamp(8)? })
    })
}

/// Keeps a concern that was raised.
///
/// # Errors
/// The store's.
pub fn raise(tx: &mut Tx<'_>, concern: &Concern) -> Result<(), StoreError> {
    let (id, person) = (concern.id.to_string(), concern.person.to_string());
    let (by, to) = (&concern.raised_by.0, &concern.to.0);
    tx.execute(&RAISE, params![id, person, by, concern.raised_at, &concern.words, concern.urgency.code(), to])?;
    Ok(())
}

/// One concern.
///
/// # Errors
/// The store's.
pub fn concern(tx: &mut Tx<'_>, id: ConcernId) -> Result<Option<Concern>, StoreError> {
    tx.query_one(&CONCERN, params![id.to_string()], concern_row)
}

/// The concerns about somebody, newest first.
///
/// # Errors
/// The store's.
pub fn concerns_of(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Concern>, StoreError> {
    tx.query(&CONCERNS_OF, params![person.to_string()], concern_row)
}

/// Keeps that a concern was taken on; tells whether it was not before.
///
/// # Errors
/// The store's.
pub fn acknowledge(tx: &mut Tx<'_>, id: ConcernId, acknowledged: &Acknowledged) -> Result<bool, StoreError> {
    let Acknowledged { by, at, words } = acknowledged;
    Ok(tx.execute(&ACKNOWLEDGE, params![id.to_string(), &by.0, *at, words])? == 1)
}

/// Keeps an answer of the person's, in the place of an earlier one of its kind without words that nobody has seen to.
///
/// # Errors
/// The store's.
pub fn add_reply(tx: &mut Tx<'_>, reply: &Reply) -> Result<(), StoreError> {
    let person = reply.person.to_string();
    tx.execute(&DROP_REPLY, params![&person, reply.kind.code()])?;
    tx.execute(&ADD_REPLY, params![reply.id.to_string(), &person, reply.kind.code(), &reply.words, reply.at])?;
    Ok(())
}

/// One answer.
///
/// # Errors
/// The store's.
pub fn reply(tx: &mut Tx<'_>, id: ReplyId) -> Result<Option<Reply>, StoreError> {
    tx.query_one(&REPLY, params![id.to_string()], |row| reply_row(row, 0))
}

/// The answers of somebody, newest first.
///
/// # Errors
/// The store's.
pub fn replies_of(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Reply>, StoreError> {
    tx.query(&REPLIES_OF, params![person.to_string()], |row| reply_row(row, 0))
}

/// Keeps that somebody has seen to an answer; tells whether nobody had before.
///
/// # Errors
/// The store's.
pub fn handle_reply(tx: &mut Tx<'_>, id: ReplyId, by: &StaffId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&HANDLE_REPLY, params![id.to_string(), &by.0, at])? == 1)
}

/// Keeps a new private link; earlier ones of the person end.
///
/// # Errors
/// The store's.
pub fn add_link(tx: &mut Tx<'_>, link: &PersonalLink) -> Result<(), StoreError> {
    revoke_links(tx, link.person, link.made_at)?;
    let (person, tries) = (link.person.to_string(), i64::from(link.tries_left));
    tx.execute(&ADD_LINK, params![&link.digest, person, &link.code, tries, &link.made_by.0, link.made_at, link.opens_until])?;
    Ok(())
}

/// The link of a token's digest, whether it opens or not.
///
/// # Errors
/// The store's.
pub fn link(tx: &mut Tx<'_>, digest: &str) -> Result<Option<PersonalLink>, StoreError> {
    tx.query_one(&LINK, params![digest], link_row)
}

/// The links of somebody, newest first.
///
/// # Errors
/// The store's.
pub fn links_of(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<PersonalLink>, StoreError> {
    tx.query(&LINKS_OF, params![person.to_string()], link_row)
}

/// Ends the links of somebody; tells how many.
///
/// # Errors
/// The store's.
pub fn revoke_links(tx: &mut Tx<'_>, person: PersonId, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&REVOKE_LINKS, params![person.to_string(), at])
}

/// Notes that a wrong code was entered.
///
/// # Errors
/// The store's.
pub fn wrong_code(tx: &mut Tx<'_>, digest: &str) -> Result<(), StoreError> {
    tx.execute(&WRONG_CODE, params![digest])?;
    Ok(())
}

/// Notes that the right code was entered: with what that is proved, until when, and how often it may be wrong again.
///
/// # Errors
/// The store's.
pub fn prove(tx: &mut Tx<'_>, digest: &str, tries: u32, proof: &str, until: Timestamp) -> Result<(), StoreError> {
    tx.execute(&PROVE, params![digest, i64::from(tries), proof, until])?;
    Ok(())
}

/// Keeps a form that is not finished, in the place of what was kept of it before. `form` is its code.
///
/// # Errors
/// The store's.
pub fn save_draft(tx: &mut Tx<'_>, staff: &StaffId, person: PersonId, form: &str, body: &str, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&SAVE_DRAFT, params![&staff.0, person.to_string(), form, body, at])?;
    Ok(())
}

/// A form that is not finished, and when it was kept.
///
/// # Errors
/// The store's.
pub fn draft(tx: &mut Tx<'_>, staff: &StaffId, person: PersonId, form: &str) -> Result<Option<(String, Timestamp)>, StoreError> {
    tx.query_one(&DRAFT, params![&staff.0, person.to_string(), form], |row| Ok((row.text(0)?, row.timestamp(1)?)))
}

/// Forgets a form that is not finished.
///
/// # Errors
/// The store's.
pub fn drop_draft(tx: &mut Tx<'_>, staff: &StaffId, person: PersonId, form: &str) -> Result<(), StoreError> {
    tx.execute(&DROP_DRAFT, params![&staff.0, person.to_string(), form])?;
    Ok(())
}

/// Forgets forms kept before an instant.
///
/// # Errors
/// The store's.
pub fn forget_drafts(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&FORGET_DRAFTS, params![before])
}

/// Forgets links that ended before an instant.
///
/// # Errors
/// The store's.
pub fn forget_links(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&FORGET_LINKS, params![before])
}

/// After a merge: what was said about the one is said about the other, and the links of both end, since a link was given
/// to somebody who was one of the two.
///
/// # Errors
/// The store's.
pub fn join(tx: &mut Tx<'_>, survivor: PersonId, retired: PersonId, at: Timestamp) -> Result<(), StoreError> {
    for person in [survivor, retired] {
        revoke_links(tx, person, at)?;
    }
    let (from, to) = (retired.to_string(), survivor.to_string());
    for statement in [&MOVE_SAFE_CONTACT, &MOVE_CONCERNS, &MOVE_REPLIES] {
        tx.execute(statement, params![&from, &to])?;
    }
    tx.execute(&DROP_DRAFTS_ABOUT, params![&from])?;
    Ok(())
}

/// After a merge was taken back: what was said about the one goes home. The links of the other end as well.
///
/// # Errors
/// The store's.
pub fn part(tx: &mut Tx<'_>, survivor: PersonId, retired: PersonId, at: Timestamp) -> Result<(), StoreError> {
    revoke_links(tx, survivor, at)?;
    for statement in [&PART_SAFE_CONTACT, &PART_CONCERNS, &PART_REPLIES] {
        tx.execute(statement, params![survivor.to_string(), retired.to_string()])?;
    }
    Ok(())
}

pub(crate) fn concern_row(row: &Row<'_>) -> Result<Concern, StoreError> {
    let state = match (row.opt_text(7)?, row.opt_timestamp(8)?, row.opt_text(9)?) {
        (Some(by), Some(at), Some(words)) => State::Acknowledged(Acknowledged { by: StaffId(by), at, words }),
        (None, None, None) => State::Open,
        _ => return Err(row.corrupt(7)),
    };
    Ok(Concern {
        id: row.parsed(0)?,
        person: row.parsed(1)?,
        raised_by: StaffId(row.text(2)?),
        raised_at: row.timestamp(3)?,
        words: row.text(4)?,
        urgency: coded(row, 5, concern::Urgency::from_code)?,
        to: StaffId(row.text(6)?),
        state,
    })
}

pub(crate) fn reply_row(row: &Row<'_>, first: usize) -> Result<Reply, StoreError> {
    let handled = match (row.opt_text(first + 5)?, row.opt_timestamp(first + 6)?) {
        (Some(by), Some(at)) => Some((StaffId(by), at)),
        (None, None) => None,
        _ => return Err(row.corrupt(first + 5)),
    };
    Ok(Reply {
        id: row.parsed(first)?,
        person: row.parsed(first + 1)?,
        kind: coded(row, first + 2, ReplyKind::from_code)?,
        words: row.text(first + 3)?,
        at: row.timestamp(first + 4)?,
        handled,
    })
}

fn link_row(row: &Row<'_>) -> Result<PersonalLink, StoreError> {
    let proof = match (row.opt_text(8)?, row.opt_timestamp(9)?) {
        (Some(proof), Some(until)) => Some((proof, until)),
        (None, None) => None,
        _ => return Err(row.corrupt(8)),
    };
    Ok(PersonalLink {
        digest: row.text(0)?,
        person: row.parsed(1)?,
        code: row.text(2)?,
        tries_left: u32::try_from(row.int(3)?).map_err(|_| row.corrupt(3))?,
        made_by: StaffId(row.text(4)?),
        made_at: row.timestamp(5)?,
        opens_until: row.timestamp(6)?,
        revoked_at: row.opt_timestamp(7)?,
        proof,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people;
    use crate::testing::both_engines;
    use alongside_domain::person::{Person, SiteId};
    use alongside_domain::record::Record;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn somebody(tx: &mut Tx<'_>, id: u128) -> Result<PersonId, StoreError> {
        let person = PersonId(id);
        people::keep(tx, None, &Record::new(Person::new(person, SiteId("here".into()), Vec::new())))?;
        Ok(person)
    }

    fn version(name: &str) -> ContactVersion {
        let contact = SafeContact {
            channel: Channel::Call,
            hours: vec![Hours::Mornings, Hours::Weekends],
            hours_words: "after ten".into(),
            who_may_answer: String::new(),
            voicemail: true,
            name_to_say: name.into(),
            notes: "zwei\nZeilen".into(),
        };
        ContactVersion { contact, set_by: StaffId("ines".into()), at: at(5) }
    }

    fn raised(id: u128, person: PersonId) -> Concern {
        Concern {
            id: ConcernId(id),
            person,
            raised_by: StaffId("ines".into()),
            raised_at: at(10),
            words: "words".into(),
            urgency: concern::Urgency::Today,
            to: StaffId("nurse".into()),
            state: State::Open,
        }
    }

    fn said(id: u128, person: PersonId, kind: ReplyKind) -> Reply {
        Reply { id: ReplyId(id), person, kind, words: String::new(), at: at(20), handled: None }
    }

    #[test]
    fn every_version_of_safe_contact_is_kept_and_the_newest_is_first() {
        both_engines(|store| {
            store
                .write(|tx| {
                    let person = somebody(tx, 1)?;
                    assert_eq!(contacts(tx, person, 9)?, []);
                    set_contact(tx, person, &version("one"))?;
                    set_contact(tx, person, &version("two"))?;
                    assert_eq!(contacts(tx, person, 9)?, [version("two"), version("one")]);
                    assert_eq!(contacts(tx, person, 1)?, [version("two")]);
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }

    #[test]
    fn a_concern_is_acknowledged_once() {
        both_engines(|store| {
            store
                .write(|tx| {
                    let person = somebody(tx, 1)?;
                    raise(tx, &raised(7, person))?;
                    assert_eq!(concern(tx, ConcernId(7))?, Some(raised(7, person)));
                    let taken = Acknowledged { by: StaffId("nurse".into()), at: at(11), words: String::new() };
                    assert!(acknowledge(tx, ConcernId(7), &taken)?);
                    assert!(!acknowledge(tx, ConcernId(7), &Acknowledged { words: "again".into(), ..taken.clone() })?);
                    assert_eq!(concerns_of(tx, person)?, [Concern { state: State::Acknowledged(taken), ..raised(7, person) }]);
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }

    #[test]
    fn an_answer_takes_the_place_of_one_that_nobody_has_seen_to() {
        both_engines(|store| {
            store
                .write(|tx| {
                    let person = somebody(tx, 1)?;
                    let ines = StaffId("ines".into());
                    for (id, kind) in [(1, ReplyKind::YesPlease), (2, ReplyKind::SomeoneElse), (3, ReplyKind::YesPlease)] {
                        add_reply(tx, &said(id, person, kind))?;
                    }
                    assert_eq!(replies_of(tx, person)?, [said(3, person, ReplyKind::YesPlease), said(2, person, ReplyKind::SomeoneElse)]);
                    assert!(handle_reply(tx, ReplyId(3), &ines, at(30))?);
                    assert!(!handle_reply(tx, ReplyId(3), &ines, at(31))?);
                    add_reply(tx, &said(4, person, ReplyKind::YesPlease))?;
                    assert_eq!(replies_of(tx, person)?.len(), 3, "what was seen to stays");
                    assert_eq!(reply(tx, ReplyId(3))?.and_then(|reply| reply.handled), Some((ines, at(30))));
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }

    #[test]
    fn a_new_link_ends_the_one_before_and_wrong_codes_count_down() {
        both_engines(|store| {
            store
                .write(|tx| {
                    let person = somebody(tx, 1)?;
                    let link_of =
                        |digest: &str, made: i64| PersonalLink::new(digest.into(), "c".into(), person, StaffId("a".into()), at(made));
                    add_link(tx, &link_of("one", 1))?;
                    assert_eq!(link(tx, "one")?, Some(link_of("one", 1)));
                    add_link(tx, &link_of("two", 2))?;
                    assert_eq!(link(tx, "one")?.and_then(|link| link.revoked_at), Some(at(2)));
                    wrong_code(tx, "two")?;
                    assert_eq!(links_of(tx, person)?[0].tries_left, 4);
                    prove(tx, "two", 5, "p", at(50))?;
                    assert_eq!(link(tx, "two")?, Some(PersonalLink { proof: Some(("p".into(), at(50))), ..link_of("two", 2) }));
                    assert_eq!(revoke_links(tx, person, at(3))?, 1);
                    prove(tx, "two", 5, "q", at(60))?;
                    assert!(link(tx, "two")?.is_some_and(|link| !link.opens(at(4)) && link.proof.is_none()));
                    assert_eq!(forget_links(tx, at(100_000_000))?, 2);
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }

    #[test]
    fn a_draft_is_one_for_each_form_and_forgotten_after_its_time() {
        both_engines(|store| {
            store
                .write(|tx| {
                    let (person, ines) = (somebody(tx, 1)?, StaffId("ines".into()));
                    save_draft(tx, &ines, person, "contact", "one", at(1))?;
                    save_draft(tx, &ines, person, "contact", "two", at(2))?;
                    save_draft(tx, &ines, person, "concern", "three", at(3))?;
                    assert_eq!(draft(tx, &ines, person, "contact")?, Some(("two".into(), at(2))));
                    assert_eq!(draft(tx, &StaffId("dele".into()), person, "contact")?, None);
                    drop_draft(tx, &ines, person, "contact")?;
                    assert_eq!(draft(tx, &ines, person, "contact")?, None);
                    assert_eq!((forget_drafts(tx, at(3))?, forget_drafts(tx, at(4))?), (0, 1));
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }

    #[test]
    fn what_was_said_follows_a_merge_and_goes_home_when_it_is_taken_back() {
        both_engines(|store| {
            store
                .write(|tx| {
                    let (survivor, retired) = (somebody(tx, 1)?, somebody(tx, 2)?);
                    set_contact(tx, survivor, &version("one"))?;
                    set_contact(tx, retired, &version("two"))?;
                    raise(tx, &raised(7, retired))?;
                    add_reply(tx, &said(8, retired, ReplyKind::YesPlease))?;
                    add_link(tx, &PersonalLink::new("l".into(), "c".into(), survivor, StaffId("a".into()), at(1)))?;
                    save_draft(tx, &StaffId("ines".into()), retired, "contact", "text", at(1))?;
                    join(tx, survivor, retired, at(9))?;
                    assert_eq!(contacts(tx, survivor, 9)?, [version("two"), version("one")]);
                    assert_eq!((concerns_of(tx, survivor)?.len(), replies_of(tx, survivor)?.len()), (1, 1));
                    assert!(link(tx, "l")?.is_some_and(|link| !link.opens(at(9))));
                    part(tx, survivor, retired, at(10))?;
                    assert_eq!((contacts(tx, survivor, 9)?, contacts(tx, retired, 9)?), (vec![version("one")], vec![version("two")]));
                    assert_eq!((concerns_of(tx, retired)?.len(), replies_of(tx, retired)?.len()), (1, 1));
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }
}
