//! The clinic's day at its desks, on both engines: who is told, referred, asked about and listed; what is closed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop here")]

use std::sync::Arc;

use alongside_app::desk::{GLASS_HOURS, NewPerson, OwnDetails};
use alongside_app::pages::{QuestionPage, Task};
use alongside_app::testing::{FixedWorld, service_with};
use alongside_app::{App, Desk, Failure, World, london_date};
use alongside_domain::access::Action;
use alongside_domain::concern::{ConcernForm, Urgency};
use alongside_domain::decision::Refusal;
use alongside_domain::id::{PersonId, QuestionId};
use alongside_domain::notice::{Answer as Told, How};
use alongside_domain::person::{Identifier, ObjectionReason, Scope, SiteId};
use alongside_domain::question::{Answer, Kind, Question};
use alongside_domain::referral::{EndReason, Stage};
use alongside_domain::supporter::StaffId;
use alongside_domain::trigger;
use alongside_store::audit::{self, Outcome};
use alongside_store::page_reads::Slice;
use alongside_store::{care, people, standing, testing};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, ToSpan};

const TODAY: Date = date(2024, 4, 2);
const REQUEST: trigger::Kind = trigger::Kind::ClinicRequest;
const WHY: &str = "Collapsed in clinic, treatment is needed";

const LOOKS_AFTER_CLOSED_RECORDS: &str = r#"
[[staff]]
key = "dr-lund"
name = "Dr Lund"
role = "clinician"
sites = ["north"]
sees_shielded = true
"#;

/// What whoever may do it is offered at any time.
const ALWAYS: [&str; 4] = ["allocate", "safe-contact", "concern", "link"];

struct Clinic {
    app: App,
    world: Arc<FixedWorld>,
}

fn on_both_engines(test: impl Fn(&Clinic)) {
    testing::both_engines(|store| {
        let (app, world) = service_with(store, LOOKS_AFTER_CLOSED_RECORDS);
        test(&Clinic { app, world });
    });
}

fn somebody(number: &str, family: &str) -> NewPerson {
    NewPerson {
        number: number.into(),
        given: "Miriam".into(),
        family: family.into(),
        birth_date: Some(date(1980, 5, 2)),
        ..NewPerson::default()
    }
}

fn place(failure: Result<impl Sized, Failure>) -> String {
    match failure {
        Err(Failure::Invalid(problems)) => problems.iter().map(|problem| problem.place.as_str()).collect::<Vec<_>>().join(" "),
        Err(other) => format!("{other:?}"),
        Ok(_) => "nothing wrong".into(),
    }
}

impl Clinic {
    fn desk(&self, staff: &str) -> Desk {
        self.app.desk(staff).unwrap()
    }

    fn nurse(&self) -> Desk {
        self.desk("nurse-ada")
    }

    fn id(&self, number: &str) -> PersonId {
        let identifier = Identifier { system: "north:MRN".into(), value: number.into() };
        self.app.store.read(|tx| people::find(tx, &SiteId("north".into()), std::slice::from_ref(&identifier), None)).unwrap()[0]
    }

    /// Somebody who was referred at the clinic and awaits notice.
    fn referred(&self, number: &str, family: &str) -> PersonId {
        self.nurse().refer_new("north", &somebody(number, family), REQUEST, "").unwrap();
        self.id(number)
    }

    fn told(&self, person: PersonId, answer: Told, once: &str) -> Result<(), Failure> {
        self.nurse().record_notice(person, TODAY, How::InPerson, answer, false, once)
    }

    fn stage(&self, person: PersonId) -> Stage {
        self.app.record(person).unwrap().referrals.last().unwrap().status.stage()
    }

    /// What somebody is offered to do to a person; what stands open at any time is left out.
    fn actions(&self, staff: &str, person: PersonId) -> Vec<String> {
        let page = self.desk(staff).person_page(person).unwrap();
        let offered = page.actions.iter().filter_map(|link| link.href.rsplit('/').next()).map(str::to_owned);
        offered.filter(|one| !ALWAYS.contains(&one.as_str())).collect()
    }

    /// Closes the record of a colleague, as it is when they have given their own details.
    fn colleague(&self, staff: &str, new: &NewPerson) {
        let own = OwnDetails { nhs_number: None, given: new.given.clone(), family: new.family.clone(), born: new.birth_date };
        self.desk(staff).give_details(&own).unwrap();
    }

    fn tried(&self, staff: &str) -> Vec<(String, Outcome, u64)> {
        let slice = Slice { most: 50, skip: 0 };
        let lines = self.app.store.read(|tx| audit::of_staff(tx, &StaffId(staff.into()), slice)).unwrap();
        lines.into_iter().map(|line| (line.action.clone(), line.outcome, line.subjects)).collect()
    }

    /// An open question about somebody, as a merge that was not sure leaves it.
    fn ask(&self, person: PersonId, kind: Kind, other: Option<PersonId>) -> QuestionId {
        let id = QuestionId(7_000 + person.0);
        let before = self.app.record(person).unwrap();
        let mut record = before.clone();
        let raised_at = self.app.world.now();
        record.questions.push(Question { id, person, origin: person, kind, raised_at, other, referral: None, answered: None });
        self.app.store.write(move |tx| people::keep(tx, Some(&before), &record)).unwrap();
        id
    }
}

#[test]
fn somebody_unknown_is_referred_told_and_followed() {
    on_both_engines(|clinic| {
        let nurse = clinic.nurse();
        let empty = nurse.clinic_page().unwrap();
        assert!(empty.awaiting.is_empty() && empty.questions.is_empty() && empty.referred.is_empty());
        assert_eq!(
            empty.actions.iter().map(|link| link.href.as_str()).collect::<Vec<_>>(),
            ["/clinic/refer", "/clinic/list", "/break-glass"]
        );
        let person = clinic.referred("100", "Okafor");
        let page = nurse.clinic_page().unwrap();
        assert_eq!((page.awaiting_total.as_str(), page.awaiting[0].name.as_str()), ("1 person", "Miriam Okafor"));
        assert_eq!(page.awaiting[0].notice, Some(format!("/people/{person}/notice")));
        clinic.told(person, Told::NoObjection, "a").unwrap();
        clinic.told(person, Told::NoObjection, "a").unwrap();
        assert!(matches!(clinic.told(person, Told::NoObjection, "b"), Err(Failure::Refused(Refusal::NotInThisState))));
        let page = nurse.clinic_page().unwrap();
        assert!(page.awaiting.is_empty());
        assert_eq!((page.referred[0].stage.as_str(), page.referred.len()), ("Open", 1));
        assert!(
            page.referred[0].due.starts_with("Needs a supporter; a first conversation is due 9 April 2024"),
            "{}",
            page.referred[0].due
        );
        let later = clinic.world.now() + SignedDuration::from_hours(24 * 91);
        clinic.world.set(later);
        assert!(clinic.nurse().clinic_page().unwrap().referred.is_empty(), "after ninety days it is told elsewhere");
    });
}

#[test]
fn each_answer_to_being_told_has_its_consequence() {
    on_both_engines(|clinic| {
        let reason = ObjectionReason::Privacy;
        let until = TODAY.checked_add(30.days()).unwrap();
        for (number, answer, stage, list) in [
            ("1", Told::NotNow { until }, Stage::Deferred, 0),
            ("2", Told::Objects { scope: Scope::All, reason }, Stage::OptedOut, 1),
            ("3", Told::Objects { scope: Scope::OutsideOnly, reason }, Stage::Open, 2),
        ] {
            let person = clinic.referred(number, "Okafor");
            clinic.told(person, answer, "").unwrap();
            assert_eq!(clinic.stage(person), stage);
            let lists = clinic.nurse().clinic_page().unwrap().lists;
            assert!(lists.get(list).is_none_or(|tile| tile.count == "1"), "{stage}");
        }
        let person = clinic.referred("4", "Okafor");
        assert_eq!(place(clinic.told(person, Told::NotNow { until: TODAY }, "")), "until");
        let tomorrow = TODAY.tomorrow().unwrap();
        assert_eq!(place(clinic.nurse().record_notice(person, tomorrow, How::Video, Told::NoObjection, false, "")), "on");
        assert_eq!(clinic.stage(person), Stage::AwaitingNotice);
    });
}

#[test]
fn an_objection_is_recorded_taken_back_and_deferred() {
    on_both_engines(|clinic| {
        let (nurse, person) = (clinic.nurse(), clinic.referred("100", "Okafor"));
        assert_eq!(clinic.actions("nurse-ada", person), ["notice", "objection", "end"]);
        nurse.object(person, Scope::All, ObjectionReason::NotStated, "").unwrap();
        assert_eq!(clinic.stage(person), Stage::OptedOut);
        assert!(clinic.actions("nurse-ada", person).contains(&"objection-taken-back".to_owned()));
        assert!(!clinic.actions("nurse-ada", person).contains(&"objection".to_owned()));
        assert!(matches!(nurse.task_page(Task::Objection, person), Err(Failure::Refused(_))));
        nurse.take_back(person, "").unwrap();
        assert!(matches!(nurse.take_back(person, ""), Err(Failure::Refused(Refusal::NothingToTakeBack))));
        clinic.told(person, Told::NoObjection, "").unwrap();
        assert_eq!(place(nurse.defer(person, TODAY, "")), "until");
        nurse.defer(person, TODAY.tomorrow().unwrap(), "").unwrap();
        assert_eq!(clinic.stage(person), Stage::Deferred);
        assert_eq!(place(nurse.end_referral(person, EndReason::Died, TODAY, "")), "reason");
        assert_eq!(place(nurse.end_referral(person, EndReason::Moved, TODAY.tomorrow().unwrap(), "")), "on");
        nurse.end_referral(person, EndReason::Moved, TODAY, "").unwrap();
        assert_eq!(clinic.actions("nurse-ada", person), ["refer", "objection"]);
        nurse.refer(person, REQUEST, "again").unwrap();
        nurse.refer(person, REQUEST, "again").unwrap();
        assert_eq!((clinic.stage(person), clinic.app.record(person).unwrap().triggers.len()), (Stage::AwaitingNotice, 2));
        assert_eq!(place(nurse.refer(person, trigger::Kind::NewDiagnosis, "")), "kind");
    });
}

#[test]
fn nobody_does_to_anybody_what_is_not_theirs() {
    on_both_engines(|clinic| {
        let person = clinic.referred("100", "Okafor");
        let there = clinic.desk("dr-sen");
        assert_eq!(there.task_page(Task::Notice, person), Err(Failure::NotFound));
        assert_eq!(there.record_notice(person, TODAY, How::InPerson, Told::NoObjection, false, ""), Err(Failure::NotFound));
        assert_eq!(there.object(person, Scope::All, ObjectionReason::NotStated, ""), Err(Failure::NotFound));
        assert_eq!(place(there.refer_new("north", &somebody("200", "Other"), REQUEST, "")), "site");
        assert!(there.clinic_page().unwrap().awaiting.is_empty());
        let coordinator = clinic.desk("coordinator-max");
        assert_eq!(coordinator.clinic_page(), Err(Failure::Forbidden));
        assert_eq!(coordinator.questions_page(), Err(Failure::Forbidden));
        assert_eq!(coordinator.break_glass("north", "100", WHY, ""), Err(Failure::Forbidden));
        assert_eq!(coordinator.task_page(Task::Objection, person), Err(Failure::NotFound), "before release");
        assert!(!coordinator.may_open(person).unwrap());
        clinic.told(person, Told::NoObjection, "").unwrap();
        assert_eq!(clinic.actions("coordinator-max", person), ["defer", "objection", "end"]);
        let lead = clinic.desk("lead-joy");
        assert_eq!(lead.refer(person, REQUEST, ""), Err(Failure::Forbidden));
        assert_eq!(clinic.actions("lead-joy", person), ["objection"]);
    });
}

#[test]
fn what_is_wrong_with_somebody_new_is_told_at_its_field() {
    on_both_engines(|clinic| {
        let nurse = clinic.nurse();
        let wrong = NewPerson { nhs_number: "9990000019".into(), birth_date: Some(TODAY.tomorrow().unwrap()), ..NewPerson::default() };
        assert_eq!(place(nurse.refer_new("north", &wrong, REQUEST, "")), "number family born nhs-number");
        let long = NewPerson { telephone: "0".repeat(200), ..somebody("1", "Okafor") };
        assert_eq!(place(nurse.refer_new("north", &long, REQUEST, "")), "telephone");
        let numbered = NewPerson { nhs_number: "999 000 0018".into(), ..somebody("100", "Okafor") };
        nurse.refer_new("north", &numbered, REQUEST, "once").unwrap();
        nurse.refer_new("north", &numbered, REQUEST, "once").unwrap();
        assert_eq!(place(nurse.refer_new("north", &somebody("100", "Other"), REQUEST, "")), "number");
        assert_eq!(place(nurse.refer_new("north", &NewPerson { number: "101".into(), ..numbered }, REQUEST, "")), "nhs-number");
        let held = clinic.app.record(clinic.id("100")).unwrap().person.nhs_number.unwrap();
        assert!(!held.verified, "what was typed proves nothing");
    });
}

#[test]
fn a_closed_record_is_referred_without_a_word_about_it() {
    on_both_engines(|clinic| {
        let (new, nurse) = (somebody("100", "Okafor"), clinic.nurse());
        clinic.colleague("anna", &new);
        nurse.refer_new("north", &new, REQUEST, "").unwrap();
        let person = clinic.id("100");
        assert!(!nurse.may_open(person).unwrap());
        assert!(nurse.search("north", "okafor").unwrap().is_empty() && nurse.clinic_page().unwrap().awaiting.is_empty());
        assert_eq!(nurse.refer_new("north", &new, REQUEST, ""), Ok(()), "the same answer as for somebody new");
        let record = clinic.app.record(person).unwrap();
        assert_eq!((record.triggers.len(), record.referrals.len(), record.person.family.as_deref()), (2, 1, Some("Okafor")));
        assert_eq!(clinic.desk("anna").viewer().own, [person]);
    });
}

#[test]
fn somebody_else_under_the_number_of_a_closed_record_is_as_new_as_anybody() {
    on_both_engines(|clinic| {
        let nurse = clinic.nurse();
        let person = clinic.referred("100", "Okafor");
        clinic.colleague("anna", &somebody("100", "Okafor"));
        for (number, family) in [("100", "Invented"), ("200", "Stranger")] {
            nurse.refer_new("north", &somebody(number, family), REQUEST, "").unwrap();
            assert_eq!(nurse.search("north", family).unwrap().len(), 1, "{family}");
            assert_eq!(nurse.search("north", number).unwrap().len(), 1, "{number}");
            assert_eq!(place(nurse.refer_new("north", &somebody(number, "Third"), REQUEST, "")), "number", "{family}");
        }
        assert!(nurse.questions_page().unwrap().lines.is_empty());
        let record = clinic.app.record(person).unwrap();
        assert_eq!((record.triggers.len(), record.person.family.as_deref()), (1, Some("Okafor")));
        let [asked] = record.questions.as_slice() else { panic!("those who look after closed records are asked") };
        assert_eq!((asked.kind, asked.other.is_some()), (Kind::SamePerson, true));
        assert!(clinic.app.examine().unwrap().is_well());
    });
}

#[test]
fn a_question_goes_to_whom_it_asks() {
    on_both_engines(|clinic| {
        let young = NewPerson { birth_date: Some(date(2010, 1, 1)), ..somebody("100", "Young") };
        clinic.nurse().refer_new("north", &young, REQUEST, "").unwrap();
        let lines = clinic.nurse().questions_page().unwrap().lines;
        assert_eq!((lines.len(), lines[0].asks.as_str()), (1, "a safeguarding lead"));
        let id: QuestionId = lines[0].href.strip_prefix("/questions/").unwrap().parse().unwrap();
        let page = clinic.nurse().question_page(id).unwrap();
        assert!(page.answers.is_empty() && page.closed.is_some() && page.told.len() == 1);
        assert!(matches!(clinic.nurse().answer_question(id, Answer::Offer), Err(Failure::Refused(Refusal::NotTheSafeguardingLead))));
        let lead = clinic.desk("lead-joy");
        assert_eq!(lead.questions_page().unwrap().lines[0].asks, "");
        assert!(clinic.actions("lead-joy", clinic.id("100")).contains(&id.to_string()));
        assert_eq!(lead.question_page(id).unwrap().answers.len(), 2);
        assert!(matches!(lead.answer_question(id, Answer::New), Err(Failure::Refused(Refusal::WrongAnswer))));
        lead.answer_question(id, Answer::Offer).unwrap();
        assert!(matches!(lead.answer_question(id, Answer::Offer), Err(Failure::Refused(Refusal::AlreadyAnswered))));
        assert_eq!(clinic.nurse().clinic_page().unwrap().awaiting.len(), 1);
        assert_eq!(clinic.desk("dr-sen").question_page(id), Err(Failure::NotFound));
        assert_eq!(clinic.nurse().question_page(QuestionId(99)), Err(Failure::NotFound));
    });
}

#[test]
fn two_records_are_compared_and_made_one() {
    on_both_engines(|clinic| {
        let (one, other) = (clinic.referred("100", "Okafor"), clinic.referred("200", "Okafor"));
        let id = clinic.ask(one, Kind::SamePerson, Some(other));
        let page: QuestionPage = clinic.nurse().question_page(id).unwrap();
        let alike = |term: &str| page.compared.iter().find(|line| line.term == term).unwrap().same;
        assert!(alike("Name") && alike("Date of birth") && !alike("Hospital number"));
        assert!(page.other.is_some());
        clinic.nurse().answer_question(id, Answer::Same).unwrap();
        let survivor = clinic.app.record(one).unwrap();
        assert_eq!(clinic.app.record(other).unwrap(), survivor);
        assert!(clinic.app.examine().unwrap().is_well());
    });
}

#[test]
fn a_question_about_two_records_is_nobodys_who_may_see_one_alone() {
    on_both_engines(|clinic| {
        let (one, other) = (clinic.referred("100", "Okafor"), clinic.referred("200", "Closed"));
        let id = clinic.ask(one, Kind::SamePerson, Some(other));
        assert_eq!(clinic.nurse().questions_page().unwrap().lines.len(), 1);
        clinic.colleague("anna", &somebody("200", "Closed"));
        let page = clinic.nurse().questions_page().unwrap();
        assert_eq!((page.lines.len(), page.total.as_str()), (0, "0 questions"));
        assert_eq!(clinic.nurse().question_page(id), Err(Failure::NotFound));
        assert_eq!(clinic.nurse().answer_question(id, Answer::Different), Err(Failure::NotFound));
    });
}

const HEADINGS: &str = "Hospital number,Surname,Forename,Date of birth,Telephone,New diagnosis,Diagnosis date\n";

#[test]
fn a_list_is_told_before_it_is_taken_and_taken_once() {
    on_both_engines(|clinic| {
        let nurse = clinic.nurse();
        assert_eq!(nurse.list_sites().count(), 1);
        assert_eq!(clinic.desk("dr-sen").list_sites().count(), 0, "no list comes from there");
        clinic.referred("100", "Okafor");
        let rows = "100,Okafor,Miriam,02/05/1980,07700 900001,,\n200,New,Ada,01/01/1970,,Y,01/04/2024\n300,Unclear,Ben,01/01/1971,,,\n";
        let list = format!("{HEADINGS}{rows}");
        let preview = nurse.preview_list("north", list.as_bytes()).unwrap();
        assert!(preview.can_be_taken() && preview.problems.is_empty());
        assert_eq!((preview.rows, preview.new_people, preview.changed, preview.unchanged), (3, 2, 1, 0));
        assert_eq!((preview.newly_diagnosed, preview.unclear), (1, 2));
        assert!(nurse.search("north", "unclear").unwrap().is_empty(), "nothing was kept");
        let taken = nurse.take_list("north", list.as_bytes()).unwrap();
        assert_eq!((taken.rows, taken.duplicate), (3, false));
        let page = nurse.clinic_page().unwrap();
        assert_eq!((page.awaiting.len(), page.questions.len()), (2, 2));
        let again = nurse.preview_list("north", list.as_bytes()).unwrap();
        assert!(again.taken_before && !again.can_be_taken());
        assert!(nurse.take_list("north", list.as_bytes()).unwrap().duplicate);
        let person = nurse.person_page(clinic.id("200")).unwrap();
        assert!(person.timeline[0].by.contains("Ada"), "who brought the list: {}", person.timeline[0].by);
    });
}

#[test]
fn a_list_whose_quotation_mark_swallows_rows_is_not_taken() {
    on_both_engines(|clinic| {
        let nurse = clinic.nurse();
        let after = "201,New,Bea,01/01/1971,,Y,01/04/2024\n202,New,Cy,01/01/1972,,Y,01/04/2024\n";
        for (first, line) in [
            ("200,New,Ada,01/01/1970,\"07700 900001,Y,01/04/2024", "line 2"),
            ("200,New,\"Ada,01/01/1970,,Y,01/04/2024", "line 2"),
            ("200,New,Ada", "line 2"),
            ("200,New,Ada,01/01/1970,,Y,01/04/2024,more", "line 2"),
            ("200,New,Ada,01/01/-0001,,Y,01/04/2024", "line 2, column \"Date of birth\""),
        ] {
            let list = format!("{HEADINGS}{first}\n{after}");
            let preview = nurse.preview_list("north", list.as_bytes()).unwrap();
            assert_eq!(preview.problems[0].place, line, "{first}");
            assert!(matches!(nurse.take_list("north", list.as_bytes()), Err(Failure::Invalid(_))), "{first}");
        }
    });
}

#[test]
fn somebodys_own_record_stays_closed_whatever_they_say_later_or_is_changed_in_it() {
    on_both_engines(|clinic| {
        let (new, nurse) = (somebody("100", "Okafor"), clinic.nurse());
        nurse.refer_new("north", &new, REQUEST, "").unwrap();
        let person = clinic.id("100");
        clinic.colleague("nurse-ada", &new);
        clinic.colleague("nurse-ada", &NewPerson { given: "Zed".into(), family: "Nobody".into(), ..new.clone() });
        assert_eq!(clinic.desk("nurse-ada").viewer().own, [person], "other details open nothing");
        let before = clinic.app.record(person).unwrap();
        let mut changed = before.clone();
        changed.person.birth_date = Some(date(1950, 2, 3));
        clinic.app.store.write(move |tx| people::keep(tx, Some(&before), &changed)).unwrap();
        assert_eq!(clinic.desk("nurse-ada").viewer().own, [person], "nor does another date of birth");
        assert!(clinic.nurse().break_glass("north", "100", "The ward asks about them", "").is_err());
        let set = |family: &str| {
            let own = OwnDetails { nhs_number: None, given: "Zed".into(), family: family.into(), born: new.birth_date };
            clinic.nurse().give_details(&own)
        };
        let sets: Vec<bool> = ["A", "B", "C", "D", "E"].iter().map(|family| set(family).is_ok()).collect();
        assert_eq!(sets.last(), Some(&false), "nobody closes record after record: {sets:?}");
    });
}

#[test]
fn a_form_that_comes_again_with_other_words_is_another() {
    on_both_engines(|clinic| {
        let person = clinic.referred("100", "Okafor");
        let raise = |words: &str| {
            let form = ConcernForm { words: words.into(), urgency: Some(Urgency::Today), to: Some(StaffId("nurse-ada".into())) };
            clinic.nurse().raise_concern(person, &form, "once").unwrap();
        };
        raise("Quieter than usual");
        raise("Quieter than usual");
        raise("Quieter than usual. Has tablets");
        let concerns = clinic.app.store.read(|tx| care::concerns_of(tx, person)).unwrap();
        assert_eq!(concerns.len(), 2, "no word is lost, and none is doubled");
    });
}

#[test]
fn a_list_with_a_bad_row_is_told_with_its_place_and_not_taken() {
    on_both_engines(|clinic| {
        let nurse = clinic.nurse();
        clinic.referred("100", "Okafor");
        let list = format!("{HEADINGS}200,New,Ada,31/02/1970,,,\n100,Else,Eve,01/01/1970,,Y,01/04/2024\n");
        let preview = nurse.preview_list("north", list.as_bytes()).unwrap();
        let places: Vec<_> = preview.problems.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(places, ["line 2, column \"Date of birth\"", "line 3"]);
        assert!(!preview.can_be_taken());
        assert!(matches!(nurse.take_list("north", list.as_bytes()), Err(Failure::Invalid(_))));
        assert_eq!(clinic.tried("nurse-ada")[0], ("upload-list".into(), Outcome::Refused, 0));
        assert_eq!(place(nurse.preview_list("north", b"PK\x03\x04rest")), "list");
        assert_eq!(place(nurse.preview_list("north", b"")), "list");
        assert_eq!(place(nurse.preview_list("south", list.as_bytes())), "site");
        assert_eq!(clinic.desk("lead-joy").preview_list("north", b"").map(|_| ()), Err(Failure::Forbidden));
    });
}

#[test]
fn a_list_does_not_tell_whose_record_is_closed() {
    on_both_engines(|clinic| {
        clinic.referred("100", "Okafor");
        clinic.colleague("anna", &somebody("100", "Okafor"));
        let list = format!("{HEADINGS}100,Okafor,Miriam,02/05/1980,,N,\n");
        let preview = clinic.nurse().preview_list("north", list.as_bytes()).unwrap();
        assert_eq!((preview.new_people, preview.changed, preview.unchanged), (1, 0, 0));
    });
}

#[test]
fn a_row_of_somebody_else_under_the_number_of_a_closed_record_is_as_new_as_any() {
    on_both_engines(|clinic| {
        let nurse = clinic.nurse();
        let person = clinic.referred("100", "Okafor");
        clinic.colleague("anna", &somebody("100", "Okafor"));
        let list = |day: &str| {
            format!("{HEADINGS}100,Invented,Eve,01/01/1970,,Y,{day}\n200,Stranger,Ada,01/01/1970,,Y,{day}\n100x,Real,Ben,,,N,\n")
        };
        let preview = nurse.preview_list("north", list("01/03/2024").as_bytes()).unwrap();
        assert_eq!((preview.new_people, preview.problems.len()), (3, 0));
        nurse.take_list("north", list("01/03/2024").as_bytes()).unwrap();
        let next = nurse.preview_list("north", list("01/04/2024").as_bytes()).unwrap();
        assert_eq!((next.new_people, next.changed, next.unchanged), (0, 0, 3), "a week later they are known alike");
        nurse.take_list("north", list("01/04/2024").as_bytes()).unwrap();
        for family in ["Invented", "Stranger"] {
            assert_eq!(nurse.search("north", family).unwrap().len(), 1, "{family}");
        }
        assert!(nurse.questions_page().unwrap().lines.is_empty());
        let record = clinic.app.record(person).unwrap();
        assert_eq!((record.questions.len(), record.triggers.len(), record.person.family.as_deref()), (1, 1, Some("Okafor")));
        let (asked, other) = (record.questions[0].id, record.questions[0].other.unwrap());
        clinic.desk("dr-lund").answer_question(asked, Answer::Same).unwrap();
        assert_eq!(clinic.app.record(other).unwrap().person.id, person);
        nurse.take_list("north", list("02/04/2024").as_bytes()).unwrap();
        let record = clinic.app.record(person).unwrap();
        assert_eq!((record.questions.len(), record.person.family.as_deref()), (1, Some("Okafor")), "what was answered is not asked again");
        assert!(clinic.app.examine().unwrap().is_well());
    });
}

#[test]
fn break_glass_opens_one_record_for_some_hours_and_every_attempt_is_written_down() {
    on_both_engines(|clinic| {
        let person = clinic.referred("100", "Okafor");
        clinic.referred("200", "Open");
        clinic.colleague("anna", &somebody("100", "Okafor"));
        let nurse = clinic.nurse();
        assert_eq!(nurse.person_page(person).map(|_| ()), Err(Failure::NotFound));
        assert_eq!(place(nurse.break_glass("north", "", "too short", "")), "number reason");
        assert_eq!(place(nurse.break_glass("south", "100", WHY, "")), "site");
        let nobody = nurse.break_glass("north", "999", WHY, "");
        assert_eq!(place(nobody.clone()), "number");
        assert_eq!(nurse.break_glass("north", "200", WHY, ""), nobody, "a record that is open anyway");
        assert_eq!(nurse.break_glass("north", "10", WHY, ""), nobody, "a part of the number");
        assert!(
            clinic.tried("nurse-ada")[..3]
                .iter()
                .all(|(action, outcome, _)| action == Action::BreakGlass.code() && *outcome == Outcome::Refused)
        );
        assert_eq!(nurse.break_glass("north", "100", WHY, "once"), Ok(person));
        assert_eq!(nurse.break_glass("north", "100", WHY, "once"), Ok(person));
        assert_eq!(clinic.tried("nurse-ada")[0], (Action::BreakGlass.code().to_owned(), Outcome::Allowed, 1));
        let used = clinic.app.store.read(|tx| standing::glass_at(tx, &SiteId("north".into()), 10)).unwrap();
        assert_eq!((used.len(), used[0].words.as_str(), used[0].person), (1, WHY, Some(person)));
        let opened = clinic.nurse();
        assert_eq!(opened.person_page(person).unwrap().name, "Miriam Okafor");
        let open = opened.clinic_page().unwrap().glass;
        assert_eq!((open.len(), open[0].until.as_str()), (1, "today at 1:30pm"));
        assert_eq!(opened.own_glass().unwrap(), open);
        assert_eq!(clinic.desk("lead-joy").person_page(person).map(|_| ()), Err(Failure::NotFound), "open to nobody else");
        clinic.world.set(clinic.world.now() + SignedDuration::from_hours(GLASS_HOURS));
        assert_eq!(clinic.nurse().person_page(person).map(|_| ()), Err(Failure::NotFound));
        assert!(clinic.nurse().own_glass().unwrap().is_empty());
        assert_eq!(london_date(clinic.world.now()), TODAY);
    });
}

#[test]
fn nobody_breaks_the_glass_over_their_own_record() {
    on_both_engines(|clinic| {
        clinic.referred("100", "Okafor");
        clinic.colleague("nurse-ada", &somebody("100", "Okafor"));
        let nobody = clinic.nurse().break_glass("north", "999", WHY, "");
        assert_eq!(clinic.nurse().break_glass("north", "100", WHY, ""), nobody);
        assert_eq!(place(nobody), "number");
    });
}
