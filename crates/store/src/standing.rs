//! What access depends on beside the configuration: marks of staff, shields, renewals, break-glass.

use alongside_domain::glass::Finding;
use alongside_domain::id::{GlassId, MessageId, PersonId};
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::person::SiteId;
use alongside_domain::supporter::StaffId;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::codec::coded;
use crate::{Row, StoreError, Tx, params, statements};

statements! {
    pub(crate) const MARKS = "SELECT mark FROM staff_mark WHERE staff = $1 ORDER BY mark";
    pub(crate) const ADD_MARK = "INSERT INTO staff_mark (staff, mark) VALUES ($1, $2) ON CONFLICT (staff, mark) DO NOTHING";
    pub(crate) const REPLACE_MARK = "UPDATE staff_mark SET mark = $3 WHERE staff = $1 AND mark = $2";
    pub(crate) const ADD_SHIELD_MARK = "INSERT INTO shield_mark (mark) VALUES ($1) ON CONFLICT (mark) DO NOTHING";
    pub(crate) const IS_SHIELD_MARK = "SELECT mark FROM shield_mark WHERE mark = $1";
    pub(crate) const SHIELD = "INSERT INTO shield (person, at) VALUES ($1, $2) ON CONFLICT (person) DO NOTHING";
    pub(crate) const IS_SHIELDED = "SELECT person FROM shield WHERE person = $1";
    pub(crate) const SHIELDED_AT = "SELECT s.person, p.nhs_number, p.given, p.family, p.birth_date, s.at FROM shield s JOIN person p ON p.id = s.person WHERE p.site = $1 AND p.merged_into IS NULL ORDER BY s.person";
    pub(crate) const BY_NHS_NUMBER = "SELECT id FROM person WHERE nhs_number = $1 ORDER BY id";
    pub(crate) const BY_BIRTH = "SELECT id FROM person WHERE birth_date = $1 ORDER BY id";
    pub(crate) const SEE_DAY = "INSERT INTO day_seen (day) VALUES ($1) ON CONFLICT (day) DO NOTHING";
    pub(crate) const LATEST_DAY = "SELECT MAX(day) FROM day_seen";
    pub(crate) const RENEW = "INSERT INTO credential (staff, item, until_on, recorded_by, at) VALUES ($1, $2, $3, $4, $5)";
    pub(crate) const RENEWALS = "SELECT item, until_on, recorded_by, at FROM credential WHERE staff = $1 ORDER BY at, item";
    pub(crate) const ALL_RENEWALS = "SELECT item, until_on, recorded_by, at, staff FROM credential ORDER BY at, item, staff";
    pub(crate) const BREAK_GLASS = "INSERT INTO break_glass (id, staff, site, person, message, reason, words, at, until_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    pub(crate) const GLASS_OF = "SELECT id, staff, site, person, message, reason, words, at, until_at, reviewed_by, reviewed_at, finding, review FROM break_glass WHERE staff = $1 AND until_at > $2 AND at <= $2 ORDER BY at, id";
    pub(crate) const GLASS_AT = "SELECT id, staff, site, person, message, reason, words, at, until_at, reviewed_by, reviewed_at, finding, review FROM break_glass WHERE site = $1 ORDER BY at DESC, id DESC LIMIT $2";
    pub(crate) const GLASS = "SELECT id, staff, site, person, message, reason, words, at, until_at, reviewed_by, reviewed_at, finding, review FROM break_glass WHERE id = $1";
    pub(crate) const COUNT_TO_REVIEW = "SELECT COUNT(*) FROM break_glass WHERE site = $1 AND reviewed_at IS NULL";
    pub(crate) const ONCE = "INSERT INTO form_once (once, staff, at) VALUES ($1, $2, $3) ON CONFLICT (once) DO NOTHING";
    pub(crate) const FORGET_ONCE = "DELETE FROM form_once WHERE at < $1";
    pub(crate) const REVIEW_GLASS = "UPDATE break_glass SET reviewed_by = $2, reviewed_at = $3, finding = $4, review = $5 WHERE id = $1 AND reviewed_at IS NULL";
}

/// The marks by which a member of staff's own records are recognised.
///
/// # Errors
/// The store's.
pub fn marks(tx: &mut Tx<'_>, staff: &StaffId) -> Result<Vec<String>, StoreError> {
    tx.query(&MARKS, params![&staff.0], |row| row.text(0))
}

/// Keeps marks of a member of staff beside earlier ones: whoever gives other details later does not open what was closed.
///
/// # Errors
/// The store's.
pub fn add_marks(tx: &mut Tx<'_>, staff: &StaffId, marks: &[String]) -> Result<(), StoreError> {
    for mark in marks {
        tx.execute(&ADD_MARK, params![&staff.0, mark])?;
    }
    Ok(())
}

/// Puts a mark in the place of another, so that their number tells nothing; tells whether the other was there.
///
/// # Errors
/// The store's.
pub fn replace_mark(tx: &mut Tx<'_>, staff: &StaffId, old: &str, new: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&REPLACE_MARK, params![&staff.0, old, new])? == 1)
}

/// Keeps marks by which a record is recognised as one to be shielded. They are never taken away: a record that was
/// shielded while somebody worked here stays closed to those who were their colleagues.
///
/// # Errors
/// The store's.
pub fn add_shield_marks(tx: &mut Tx<'_>, marks: &[String]) -> Result<(), StoreError> {
    for mark in marks {
        tx.execute(&ADD_SHIELD_MARK, params![mark])?;
    }
    Ok(())
}

/// Whether one of these marks is of a record to be shielded.
///
/// # Errors
/// The store's.
pub fn is_to_be_shielded(tx: &mut Tx<'_>, marks: &[String]) -> Result<bool, StoreError> {
    for mark in marks {
        if tx.query_one(&IS_SHIELD_MARK, params![mark], |row| row.text(0))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Shields a record, if it is not.
///
/// # Errors
/// The store's.
pub fn shield(tx: &mut Tx<'_>, person: PersonId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&SHIELD, params![person.to_string(), at])?;
    Ok(())
}

/// Whether a record is shielded.
///
/// # Errors
/// The store's.
pub fn is_shielded(tx: &mut Tx<'_>, person: PersonId) -> Result<bool, StoreError> {
    Ok(tx.query_one(&IS_SHIELDED, params![person.to_string()], |row| row.text(0))?.is_some())
}

/// Notes that the service runs on this day.
///
/// # Errors
/// The store's.
pub fn see_day(tx: &mut Tx<'_>, day: Date) -> Result<(), StoreError> {
    tx.execute(&SEE_DAY, params![day])?;
    Ok(())
}

/// The latest day on which the service ran.
///
/// # Errors
/// The store's.
pub fn latest_day(tx: &mut Tx<'_>) -> Result<Option<Date>, StoreError> {
    Ok(tx.query_one(&LATEST_DAY, params![], |row| row.opt_date(0))?.flatten())
}

/// A shielded record, as far as it takes to recognise whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shielded {
    /// The record.
    pub person: PersonId,
    /// NHS number.
    pub nhs_number: Option<NhsNumber>,
    /// Given name.
    pub given: Option<String>,
    /// Family name.
    pub family: Option<String>,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// Since when it is shielded, where that is known.
    pub since: Option<Timestamp>,
}

/// The shielded people of a site: in one statement, because it is asked at every request.
///
/// # Errors
/// The store's.
pub fn shielded_at(tx: &mut Tx<'_>, site: &SiteId) -> Result<Vec<Shielded>, StoreError> {
    tx.query(&SHIELDED_AT, params![&site.0], |row| {
        Ok(Shielded {
            person: row.parsed(0)?,
            nhs_number: row.opt_parsed(1)?,
            given: row.opt_text(2)?,
            family: row.opt_text(3)?,
            birth_date: row.opt_date(4)?,
            since: row.opt_timestamp(5)?,
        })
    })
}

/// People who may be whom a mark is about: by NHS number (ten digits), or by day of birth.
///
/// # Errors
/// The store's.
pub fn candidates(tx: &mut Tx<'_>, nhs_number: Option<&str>, born: Date) -> Result<Vec<PersonId>, StoreError> {
    let mut found: Vec<PersonId> = tx.query(&BY_BIRTH, params![born], |row| row.parsed(0))?;
    if let Some(number) = nhs_number {
        found.extend(tx.query(&BY_NHS_NUMBER, params![number], |row| row.parsed::<PersonId>(0))?);
    }
    Ok(found)
}

/// Something that was renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// The code of the item.
    pub item: String,
    /// Its last day.
    pub until: Date,
    /// Who recorded it.
    pub recorded_by: StaffId,
    /// When.
    pub at: Timestamp,
}

/// Records that something was renewed.
///
/// # Errors
/// The store's.
pub fn renew(tx: &mut Tx<'_>, staff: &StaffId, renewal: &Renewal) -> Result<(), StoreError> {
    tx.execute(&RENEW, params![&staff.0, &renewal.item, renewal.until, &renewal.recorded_by.0, renewal.at])?;
    Ok(())
}

/// What was renewed for somebody, oldest first: the last line of an item counts.
///
/// # Errors
/// The store's.
pub fn renewals(tx: &mut Tx<'_>, staff: &StaffId) -> Result<Vec<Renewal>, StoreError> {
    tx.query(&RENEWALS, params![&staff.0], renewal)
}

/// What was renewed for everybody, oldest first.
///
/// # Errors
/// The store's.
pub fn all_renewals(tx: &mut Tx<'_>) -> Result<Vec<(StaffId, Renewal)>, StoreError> {
    tx.query(&ALL_RENEWALS, params![], |row| Ok((StaffId(row.text(4)?), renewal(row)?)))
}

fn renewal(row: &Row<'_>) -> Result<Renewal, StoreError> {
    Ok(Renewal { item: row.text(0)?, until: row.date(1)?, recorded_by: StaffId(row.text(2)?), at: row.timestamp(3)? })
}

/// A use of break-glass: a closed record, or the text of a message, opened with a reason and for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glass {
    /// Our identifier.
    pub id: GlassId,
    /// Who.
    pub staff: StaffId,
    /// At which site.
    pub site: SiteId,
    /// Whose record.
    pub person: Option<PersonId>,
    /// Which message.
    pub message: Option<MessageId>,
    /// The code of the reason.
    pub reason: String,
    /// The reason in their words.
    pub words: String,
    /// When.
    pub at: Timestamp,
    /// Until when it is open.
    pub until: Timestamp,
    /// What information governance found, once they looked at it.
    pub reviewed: Option<Review>,
}

/// What information governance found about a use of break-glass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who looked at it.
    pub by: StaffId,
    /// When.
    pub at: Timestamp,
    /// What they found.
    pub finding: Finding,
    /// A few words.
    pub note: String,
}

/// Records a use of break-glass.
///
/// # Errors
/// The store's.
pub fn break_glass(tx: &mut Tx<'_>, glass: &Glass) -> Result<(), StoreError> {
    tx.execute(
        &BREAK_GLASS,
        params![
            glass.id.to_string(),
            &glass.staff.0,
            &glass.site.0,
            glass.person.map(|id| id.to_string()),
            glass.message.map(|id| id.to_string()),
            &glass.reason,
            &glass.words,
            glass.at,
            glass.until,
        ],
    )?;
    Ok(())
}

/// What somebody has open by break-glass at an instant.
///
/// # Errors
/// The store's.
pub fn glass_of(tx: &mut Tx<'_>, staff: &StaffId, at: Timestamp) -> Result<Vec<Glass>, StoreError> {
    tx.query(&GLASS_OF, params![&staff.0, at], glass_row)
}

/// The uses of break-glass at a site, the newest first, at most so many.
///
/// # Errors
/// The store's.
pub fn glass_at(tx: &mut Tx<'_>, site: &SiteId, most: u32) -> Result<Vec<Glass>, StoreError> {
    tx.query(&GLASS_AT, params![&site.0, i64::from(most)], glass_row)
}

/// One use of break-glass.
///
/// # Errors
/// The store's.
pub fn glass(tx: &mut Tx<'_>, id: GlassId) -> Result<Option<Glass>, StoreError> {
    tx.query_one(&GLASS, params![id.to_string()], glass_row)
}

/// Records what information governance found; tells whether it had not been reviewed before.
///
/// # Errors
/// The store's.
pub fn review(tx: &mut Tx<'_>, id: GlassId, review: &Review) -> Result<bool, StoreError> {
    let Review { by, at, finding, note } = review;
    Ok(tx.execute(&REVIEW_GLASS, params![id.to_string(), &by.0, *at, finding.code(), note])? == 1)
}

/// How many uses of break-glass at a site nobody has reviewed.
///
/// # Errors
/// The store's.
pub fn count_to_review(tx: &mut Tx<'_>, site: &SiteId) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_TO_REVIEW, params![&site.0], |row| row.number(0))?.unwrap_or(0))
}

/// Notes that a form is carried out; tells whether it was not before.
///
/// # Errors
/// The store's.
pub fn once(tx: &mut Tx<'_>, once: &str, staff: &StaffId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&ONCE, params![once, &staff.0, at])? == 1)
}

/// Forgets forms that were carried out before an instant.
///
/// # Errors
/// The store's.
pub fn forget_once(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(&FORGET_ONCE, params![before])?;
    Ok(())
}

fn glass_row(row: &Row<'_>) -> Result<Glass, StoreError> {
    let reviewed = match (row.opt_text(9)?, row.opt_timestamp(10)?, row.opt_text(12)?) {
        (Some(by), Some(at), Some(note)) => Some(Review { by: StaffId(by), at, finding: coded(row, 11, Finding::from_code)?, note }),
        (None, None, None) => None,
        _ => return Err(row.corrupt(9)),
    };
    Ok(Glass {
        id: row.parsed(0)?,
        staff: StaffId(row.text(1)?),
        site: SiteId(row.text(2)?),
        person: row.opt_parsed(3)?,
        message: row.opt_parsed(4)?,
        reason: row.text(5)?,
        words: row.text(6)?,
        at: row.timestamp(7)?,
        until: row.timestamp(8)?,
        reviewed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people;
    use crate::testing::both_engines;
    use alongside_domain::person::{NhsNumberHeld, Person};
    use alongside_domain::record::Record;
    use jiff::civil::date;

    fn somebody(id: u128) -> Record {
        let mut record = Record::new(Person::new(PersonId(id), SiteId("here".into()), Vec::new()));
        record.person.birth_date = Some(date(1980, 1, 2));
        let number: NhsNumber = "9990000018".parse().unwrap();
        record.person.nhs_number = Some(NhsNumberHeld { number, verified: true });
        record
    }

    #[test]
    fn a_mark_is_found_again_and_a_record_is_shielded_once() {
        both_engines(|store| {
            store
                .write(|tx| {
                    let staff = StaffId("ines".into());
                    people::keep(tx, None, &somebody(1))?;
                    add_marks(tx, &staff, &["a".into(), "b".into()])?;
                    add_marks(tx, &staff, &["b".into(), "c".into()])?;
                    assert!(replace_mark(tx, &staff, "c", "d")? && !replace_mark(tx, &staff, "c", "e")?);
                    assert_eq!(marks(tx, &staff)?, ["a", "b", "d"]);
                    add_shield_marks(tx, &["x".into(), "x".into()])?;
                    assert!(is_to_be_shielded(tx, &["y".into(), "x".into()])?);
                    assert!(!is_to_be_shielded(tx, &["b".into()])?, "the two kinds of mark are never the same");
                    assert!(!is_shielded(tx, PersonId(1))?);
                    shield(tx, PersonId(1), Timestamp::UNIX_EPOCH)?;
                    shield(tx, PersonId(1), Timestamp::UNIX_EPOCH)?;
                    assert!(is_shielded(tx, PersonId(1))?);
                    let known = somebody(1).person;
                    let shielded = Shielded {
                        person: known.id,
                        nhs_number: known.nhs_number.map(|held| held.number),
                        given: None,
                        family: None,
                        birth_date: known.birth_date,
                        since: Some(Timestamp::UNIX_EPOCH),
                    };
                    assert_eq!(shielded_at(tx, &SiteId("here".into()))?, [shielded]);
                    assert_eq!(shielded_at(tx, &SiteId("there".into()))?, []);
                    assert_eq!(candidates(tx, Some("9990000018"), date(1990, 1, 1))?, [PersonId(1)]);
                    assert_eq!(candidates(tx, None, date(1980, 1, 2))?, [PersonId(1)]);
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }

    #[test]
    fn glass_is_open_for_its_time_and_reviewed_once() {
        both_engines(|store| {
            store
                .write(|tx| {
                    let at = |second: i64| Timestamp::from_second(second).unwrap();
                    let (nurse, site) = (StaffId("nurse".into()), SiteId("here".into()));
                    people::keep(tx, None, &somebody(1))?;
                    let glass_used = Glass {
                        id: GlassId(5),
                        staff: nurse.clone(),
                        site: site.clone(),
                        person: Some(PersonId(1)),
                        message: None,
                        reason: "emergency".into(),
                        words: "words".into(),
                        at: at(100),
                        until: at(200),
                        reviewed: None,
                    };
                    break_glass(tx, &glass_used)?;
                    assert_eq!(glass_of(tx, &nurse, at(99))?, []);
                    assert_eq!(glass_of(tx, &nurse, at(100))?.len(), 1);
                    assert_eq!(glass_of(tx, &nurse, at(200))?, []);
                    assert_eq!((count_to_review(tx, &site)?, count_to_review(tx, &SiteId("there".into()))?), (1, 0));
                    let (by, note) = (StaffId("lead".into()), "well founded".to_owned());
                    let found = Review { by, at: at(300), finding: Finding::Justified, note };
                    assert!(review(tx, GlassId(5), &found)?);
                    assert!(!review(tx, GlassId(5), &Review { at: at(301), ..found.clone() })?);
                    assert_eq!(count_to_review(tx, &site)?, 0);
                    let reviewed = Some(found);
                    assert_eq!(glass_at(tx, &site, 10)?, [Glass { reviewed, ..glass_used }]);
                    assert_eq!(glass(tx, GlassId(6))?, None);
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }

    #[test]
    fn a_form_is_carried_out_once_until_it_is_forgotten() {
        both_engines(|store| {
            store
                .write(|tx| {
                    let (staff, at) = (StaffId("ines".into()), Timestamp::UNIX_EPOCH);
                    assert!(once(tx, "a", &staff, at)?);
                    assert!(!once(tx, "a", &staff, at)?);
                    forget_once(tx, Timestamp::from_second(1).unwrap())?;
                    assert!(once(tx, "a", &staff, at)?);
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }

    #[test]
    fn what_was_renewed_is_read_in_order() {
        both_engines(|store| {
            store
                .write(|tx| {
                    let staff = StaffId("grace".into());
                    let one = Renewal {
                        item: "dbs-check".into(),
                        until: date(2026, 1, 1),
                        recorded_by: StaffId("leila".into()),
                        at: Timestamp::UNIX_EPOCH,
                    };
                    renew(tx, &staff, &one)?;
                    assert_eq!(all_renewals(tx)?, [(staff.clone(), one.clone())]);
                    assert_eq!(renewals(tx, &staff)?, [one]);
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }
}
