//! What is sent, and the two dialects in which it is written.
//!
//! Millennium's shapes follow public samples (`interop.md` 0.2, 1.5): typed identifiers and names, words in PV1-2, a flood
//! of `""`, Windows-1252. CareFlow's follow HL7 UK A.2: codes of organisations as authorities, Z segments, UTF-8.

use std::sync::Arc;

use alongside_hl7v2::Charset;
use jiff::civil::{Date, DateTime};

use super::people::{Patient, Site};
use super::segments::Segments;

/// A code and its text.
pub(super) type Coded = (&'static str, &'static str);

/// A message that is not yet written.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) who: Arc<Patient>,
    pub(super) body: Body,
}

/// What a message tells.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// ADT: what happens to a patient or their details.
    Adt {
        /// `A01` and so on.
        trigger: &'static str,
        visit: Option<Visit>,
        diagnosis: Option<Coded>,
        died: Option<Date>,
        /// Whose record is joined to this one (A40).
        retired: Option<Arc<Patient>>,
    },
    /// ORU^R01: results.
    Results(Results),
    /// SIU: an appointment.
    Booking {
        /// `S12` and so on.
        trigger: &'static str,
        appointment: Appointment,
    },
    /// ORM^O01: an order.
    Order {
        /// `NW` or `CA`.
        control: &'static str,
        number: String,
        service: Coded,
    },
    /// REF^I12: a referral.
    Referral { number: String, service: Coded },
}

/// A visit.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) number: String,
    pub(super) class: Class,
    pub(super) location: &'static str,
    /// NHS treatment function code.
    pub(super) specialty: &'static str,
    pub(super) from: DateTime,
    pub(super) until: Option<DateTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Outpatient,
    Inpatient,
    Emergency,
    Preadmit,
}

/// Results of one specimen.
#[derive(Debug, Clone)]
pub(super) struct Results {
    /// The filler's number: the same for a result and its correction.
    pub(super) number: String,
    pub(super) battery: Coded,
    pub(super) collected: DateTime,
    pub(super) location: &'static str,
    /// OBX-11: `F` final, `C` corrected.
    pub(super) status: &'static str,
    pub(super) observations: Vec<Observation>,
}

/// One result.
#[derive(Debug, Clone)]
pub(super) struct Observation {
    pub(super) code: Coded,
    pub(super) value: String,
    pub(super) units: &'static str,
    pub(super) range: &'static str,
    pub(super) flag: &'static str,
}

impl Observation {
    /// A result in words.
    pub(super) fn words(code: Coded, value: &str) -> Self {
        Self { code, value: value.to_owned(), units: "", range: "", flag: "" }
    }
}

/// An appointment.
#[derive(Debug, Clone)]
pub(super) struct Appointment {
    pub(super) number: String,
    pub(super) location: &'static str,
    pub(super) start: DateTime,
    pub(super) minutes: u16,
}

/// Writes a message in its sender's dialect and character set.
pub(super) fn write(site: Site, draft: &Draft, control: &str, at: DateTime) -> Vec<u8> {
    let dialect = Dialect { site, organisation: site.organisation(at.date()), at };
    let mut message = Segments::default();
    dialect.message(&mut message, draft, control);
    let text = message.finish();
    match site {
        Site::ChelWest => Charset::WINDOWS_1252.encode(&text),
        Site::NorthMid => text.into_bytes(),
    }
}

/// `YYYYMMDDHHMMSS`.
pub(super) fn stamp(time: DateTime) -> String {
    let mut text = day(time.date());
    for part in [time.hour(), time.minute(), time.second()] {
        two(&mut text, part);
    }
    text
}

/// `YYYYMMDD`.
pub(super) fn day(date: Date) -> String {
    let mut text = String::with_capacity(14);
    let century = |part: i16| i8::try_from(part).unwrap_or(0);
    for part in [century(date.year() / 100), century(date.year() % 100), date.month(), date.day()] {
        two(&mut text, part);
    }
    text
}

/// Two digits.
fn two(text: &mut String, number: i8) {
    for digit in [number / 10, number % 10] {
        text.push(char::from(b'0' + digit.unsigned_abs()));
    }
}

struct Dialect {
    site: Site,
    organisation: &'static str,
    at: DateTime,
}

impl Dialect {
    fn is_cerner(&self) -> bool {
        self.site == Site::ChelWest
    }

    /// What this sender writes where it knows nothing.
    fn empty(&self) -> &'static str {
        if self.is_cerner() { "\"\"" } else { "" }
    }

    fn message(&self, message: &mut Segments, draft: &Draft, control: &str) {
        let who = &draft.who;
        match &draft.body {
            Body::Adt { trigger, visit, diagnosis, died, retired } => {
                self.msh(message, "ADT", trigger, control);
                self.evn(message, trigger);
                self.pid(message, who, *died);
                self.pd1(message, who);
                if let Some(visit) = visit {
                    self.pv1(message, visit);
                    self.after_visit(message, trigger);
                }
                if let Some(diagnosis) = diagnosis {
                    self.dg1(message, *diagnosis);
                }
                if let Some(retired) = retired {
                    self.mrg(message, retired);
                }
            }
            Body::Results(results) => self.results(message, who, results, control),
            Body::Booking { trigger, appointment } => self.booking(message, who, trigger, appointment, control),
            Body::Order { control: order, number, service } => {
                self.msh(message, "ORM", "O01", control);
                self.pid(message, who, None);
                message.segment("ORC").field(1, order).components(2, &[number, "HNAM_ORDERID"]).field(9, &stamp(self.at)).raw(12, STAFF[0]);
                let obr = message.segment("OBR").field(1, "1").components(2, &[number, "HNAM_ORDERID"]);
                obr.components(4, &[service.0, service.1, "HNAM_CEREF"]).field(6, &stamp(self.at)).raw(16, STAFF[0]);
            }
            Body::Referral { number, service } => self.referral(message, who, number, *service, control),
        }
    }

    fn msh(&self, message: &mut Segments, kind: &str, trigger: &str, control: &str) {
        let at = stamp(self.at);
        let msh = message.segment("MSH");
        if self.is_cerner() {
            msh.field(3, "CERNER").field(4, self.organisation).field(5, "ALONGSIDE").field(6, "PEER SUPPORT").field(7, &at);
            msh.components(9, &[kind, trigger]).field(10, control).field(11, "P").field(12, "2.3").field(18, "ASCII");
        } else {
            msh.field(3, "CAREFLOW").field(4, self.organisation).field(5, "ALONGSIDE").field(6, "ROUTE").field(7, &at);
            msh.components(9, &[kind, trigger, structure(kind, trigger)]).field(10, control).field(11, "P").field(12, "2.4");
            msh.field(17, "GBR").field(18, "UNICODE UTF-8");
        }
    }

    fn evn(&self, message: &mut Segments, trigger: &str) {
        let at = stamp(self.at);
        let evn = message.segment("EVN").field(1, trigger).field(2, &at);
        if self.is_cerner() {
            evn.raw(5, STAFF[1]);
        } else {
            evn.field(6, &at).field(7, self.organisation);
        }
    }

    fn identifiers(&self, segment: &mut Segments, number: usize, who: &Patient) {
        let nhs = who.nhs.as_ref().map(|(digits, _)| digits.as_str());
        if self.is_cerner() {
            let authority = format!("{} MRN", self.organisation);
            segment.components(number, &[&who.mrn, "", "", &authority, "MRN"]);
            if let Some(nhs) = nhs {
                segment.components(number, &[nhs, "", "", "NHSNBR", "NHSNMBR"]);
            }
        } else {
            if let Some(nhs) = nhs {
                segment.components(number, &[nhs, "", "", "NHS", "NH"]);
            }
            segment.components(number, &[&who.mrn, "", "", self.organisation, "MR"]);
        }
    }

    fn pid(&self, message: &mut Segments, who: &Patient, died: Option<Date>) {
        let pid = message.segment("PID").field(1, "1");
        if self.is_cerner() {
            self.pid_cerner(pid, who);
        } else {
            self.identifiers(pid, 3, who);
            pid.components(5, &[who.family, who.given, "", "", who.title])
                .field(7, &day(who.born))
                .field(8, if who.female { "F" } else { "M" });
            pid.components(11, &[&who.street, "", "London", "", &who.postcode, "GBR", "H"]);
            pid.components(13, &[&who.telephone, "PRN", "PH"]);
        }
        match died {
            Some(died) => pid.field(29, &day(died)).field(30, "Y"),
            None => pid.raw(29, self.empty()).field(30, "N"),
        };
        pid.field(
            32,
            match who.nhs {
                Some((_, true)) => "NSTS01",
                Some((_, false)) => "NSTS02",
                None => "NSTS07",
            },
        );
    }

    fn pid_cerner(&self, pid: &mut Segments, who: &Patient) {
        pid.components(2, &[&who.mrn, "", "", "RQM MRN", "MRN"]);
        self.identifiers(pid, 3, who);
        pid.components(5, &[who.family, who.given, "\"\"", "\"\"", who.title, "\"\"", "CURRENT"]).raw(6, "\"\"");
        // The time of birth is a midnight that nobody wrote.
        let mut born = day(who.born);
        born.push_str("000000");
        pid.field(7, &born).field(8, if who.female { "2" } else { "1" }).raw(9, "\"\"").raw(10, "\"\"");
        pid.components(11, &[&who.street, "\"\"", "LONDON", "\"\"", &who.postcode, "GBR", "HOME"]).raw(12, "\"\"");
        pid.components(13, &[&who.telephone, "HOME"]).raw(14, "\"\"|\"\"|\"\"|\"\"");
        pid.go_past(17).components(18, &[&who.mrn, "", "", "RQM FIN", "FINNBR"]);
        pid.raw(19, "\"\"|\"\"|\"\"|\"\"|\"\"|\"\"|\"\"|\"\"|\"\"|\"\"").go_past(28);
    }

    fn pd1(&self, message: &mut Segments, who: &Patient) {
        // A general practitioner invented from the house, so that the same person always has the same one.
        let practice = format!("Y{:05}", who.street.len() * 731 % 99_999);
        let pd1 = message.segment("PD1");
        if self.is_cerner() {
            pd1.raw(1, "\"\"").raw(2, "\"\"").components(3, &["HIGH STREET SURGERY", "", &practice]).raw(4, STAFF[2]);
        } else {
            pd1.components(3, &["High Street Surgery", "", &practice])
                .components(4, &["G9999998", "Example", "Robin", "", "", "Dr", "", "", "GMP"]);
        }
    }

    fn pv1(&self, message: &mut Segments, visit: &Visit) {
        let pv1 = message.segment("PV1").field(1, "1").field(2, self.class(visit.class));
        let authority = format!("{} VISIT", self.organisation);
        if self.is_cerner() {
            pv1.components(3, &[visit.location, "\"\"", "\"\"", self.organisation, "", "AMB", "CHELWEST"])
                .raw(4, "\"\"")
                .raw(5, "\"\"")
                .raw(6, "\"\"");
            pv1.raw(7, STAFF[0])
                .raw(8, "\"\"")
                .raw(9, "\"\"")
                .field(10, visit.specialty)
                .raw(14, "\"\"")
                .field(18, self.class(visit.class));
            pv1.components(19, &[&visit.number, "", "", &authority, "VISITID"]);
        } else {
            pv1.components(3, &[visit.location, "", "", self.organisation])
                .raw(7, "C9999998^Example^Jo^^^Dr^^^GMC")
                .field(10, visit.specialty);
            pv1.components(19, &[&visit.number, "", "", self.organisation, "VN"]);
        }
        pv1.field(44, &stamp(visit.from));
        if let Some(until) = visit.until {
            pv1.field(45, &stamp(until));
        }
        if !self.is_cerner() {
            pv1.field(51, "V");
        }
    }

    const fn class(&self, class: Class) -> &'static str {
        match (self.site, class) {
            (Site::ChelWest, Class::Outpatient) => "OUTPATIENT",
            (Site::ChelWest, Class::Inpatient) => "INPATIENT",
            (Site::ChelWest, Class::Emergency) => "EMERGENCY",
            (Site::ChelWest, Class::Preadmit) => "PREADMIT",
            (Site::NorthMid, Class::Outpatient) => "O",
            (Site::NorthMid, Class::Inpatient) => "I",
            (Site::NorthMid, Class::Emergency) => "E",
            (Site::NorthMid, Class::Preadmit) => "P",
        }
    }

    /// The Z segments that each sender adds, which nobody here reads.
    fn after_visit(&self, message: &mut Segments, trigger: &str) {
        if self.is_cerner() {
            message.segment("PV2").raw(3, "\"\"").raw(8, "\"\"").raw(9, "\"\"");
            message.segment("ZPI").field(1, "1").raw(2, "\"\"").raw(3, "\"\"");
        } else if ["A01", "A04", "A05", "A08", "A13"].contains(&trigger) {
            message.segment("ZU1").field(4, self.organisation);
            message.segment("ZU3").field(1, "1");
        }
    }

    fn dg1(&self, message: &mut Segments, (code, text): Coded) {
        let dg1 = message.segment("DG1").field(1, "1").field(2, "ICD10").components(3, &[code, text, "ICD10"]);
        dg1.field(5, &stamp(self.at)).field(6, "W");
    }

    fn mrg(&self, message: &mut Segments, retired: &Patient) {
        let mrg = message.segment("MRG");
        if self.is_cerner() {
            mrg.components(1, &[&retired.mrn, "", "", &format!("{} MRN", self.organisation), "MRN"]).raw(2, "\"\"").raw(3, "\"\"");
            mrg.components(7, &[retired.family, retired.given]);
        } else {
            mrg.components(1, &[&retired.mrn, "", "", self.organisation, "MR"]);
        }
    }

    fn results(&self, message: &mut Segments, who: &Patient, results: &Results, control: &str) {
        self.msh(message, "ORU", "R01", control);
        self.pid(message, who, None);
        let pv1 = message.segment("PV1").field(1, "1").field(2, "OUTPATIENT");
        pv1.components(3, &[results.location, "\"\"", "\"\"", self.organisation]);
        let (number, at) = (&results.number, stamp(self.at));
        let obr = message.segment("OBR").field(1, "1").components(2, &[&format!("P{number}"), "HNAM_ORDERID"]);
        obr.components(3, &[number, "WinPath"]).components(4, &[results.battery.0, results.battery.1, "WinPath"]);
        obr.field(7, &stamp(results.collected)).field(14, &stamp(results.collected)).raw(16, STAFF[0]).field(22, &at);
        obr.field(24, "LAB").field(25, results.status);
        for (index, one) in results.observations.iter().enumerate() {
            let numeric = !one.value.is_empty() && one.value.chars().all(|c| c.is_ascii_digit() || c == '.');
            let obx = message.segment("OBX").field(1, &(index + 1).to_string()).field(2, if numeric { "NM" } else { "ST" });
            obx.components(3, &[one.code.0, one.code.1, "WinPath"]).field(5, &one.value).field(6, one.units).field(7, one.range);
            obx.field(8, one.flag).field(11, results.status).field(14, &at);
        }
    }

    fn booking(&self, message: &mut Segments, who: &Patient, trigger: &str, appointment: &Appointment, control: &str) {
        self.msh(message, "SIU", trigger, control);
        let start = stamp(appointment.start);
        let end =
            appointment.start.checked_add(jiff::Span::new().minutes(i64::from(appointment.minutes))).map_or_else(|_| start.clone(), stamp);
        let minutes = appointment.minutes.to_string();
        let (status, reason) = match trigger {
            "S12" => ("Booked", "NEW"),
            "S13" | "S14" => ("Booked", "CHANGED"),
            "S15" => ("Cancelled", "CANCELLED"),
            _ => ("Noshow", "NOSHOW"),
        };
        let sch = message
            .segment("SCH")
            .components(1, &[&appointment.number, self.organisation])
            .components(2, &[&appointment.number, self.organisation]);
        sch.field(6, reason).field(7, "ROUTINE").field(8, "CLINIC").field(9, &minutes).field(10, "min");
        sch.components(11, &["", "", &minutes, &start, &end]).field(25, status);
        self.pid(message, who, None);
        let class = self.class(Class::Outpatient);
        message.segment("PV1").field(1, "1").field(2, class).components(3, &[appointment.location, "", "", self.organisation]);
        message.segment("RGS").field(1, "1");
        message.segment("AIS").field(1, "1").field(3, "CLINIC").field(4, &start).field(7, &minutes);
        message
            .segment("AIL")
            .field(1, "1")
            .components(3, &[appointment.location, "", "", self.organisation])
            .field(6, &start)
            .field(9, &minutes);
        message.segment("AIP").field(1, "1").raw(3, "C9999998^Example^Jo^^^Dr").field(6, &start);
    }

    fn referral(&self, message: &mut Segments, who: &Patient, number: &str, service: Coded, control: &str) {
        self.msh(message, "REF", "I12", control);
        let rf1 = message.segment("RF1").field(1, "P").field(2, "R").field(5, "O").components(6, &[number, "CAREFLOW"]);
        rf1.field(7, &stamp(self.at)).components(10, &[service.0, service.1]);
        let prd = message.segment("PRD").field(1, "RP").components(2, &["Example", "Jo", "", "", "Dr"]);
        prd.components(7, &["C9999998", "", "GMC"]);
        message.segment("PRD").field(1, "RT").components(2, &[service.1]);
        self.pid(message, who, None);
    }
}

/// MSH-9.3 as the UK variation has it.
fn structure(kind: &str, trigger: &str) -> &'static str {
    match (kind, trigger) {
        ("SIU", _) => "SIU_S12",
        ("REF", _) => "REF_I12",
        (_, "A02" | "A03") => "ADT_A02",
        (_, "A11") => "ADT_A11",
        (_, "A28" | "A31") => "ADT_A28",
        (_, "A40") => "ADT_A40",
        _ => "ADT_A01",
    }
}

/// Staff as Millennium writes them.
const STAFF: [&str; 3] = [
    "C9999998^Example^Jo^^^Dr^^^DRNBR^PRSNL^^^ORGDR^\"\"",
    "U000042^Clerk^Sam^^^^^^\"\"^PRSNL^^^^\"\"",
    "G9999998^Example^Robin^^^Dr^^^DRNBR^PRSNL^^^ORGDR",
];

#[cfg(test)]
mod tests {
    use super::*;
    use alongside_hl7v2::{Message, Options};
    use jiff::civil::date;

    fn written(site: Site, body: Body, at: DateTime) -> Message {
        let mut who = Patient::new(1, site, 7, (30, 40));
        (who.family, who.given) = ("O'Neill", "Zoë");
        who.nhs = Some(("9990000018".to_owned(), true));
        let bytes = write(site, &Draft { who: Arc::new(who), body }, "1", at);
        Message::parse(&bytes, &Options::default()).map_err(|problem| problem.to_string()).expect("a message")
    }

    fn text(message: &Message, path: &str) -> String {
        message.get(path).map(|value| value.text().into_owned()).unwrap_or_default()
    }

    fn attendance(location: &'static str, at: DateTime) -> Body {
        let visit = Visit { number: "77".into(), class: Class::Outpatient, location, specialty: "360", from: at, until: None };
        Body::Adt { trigger: "A04", visit: Some(visit), diagnosis: None, died: None, retired: None }
    }

    #[test]
    fn millennium_types_its_identifiers_and_writes_words_and_accents() {
        let at = date(2024, 3, 15).at(9, 14, 0, 0);
        let message = written(Site::ChelWest, attendance("KOBLER", at), at);
        assert_eq!([text(&message, "PID-3[1].4"), text(&message, "PID-3[1].5")], ["RQM MRN", "MRN"]);
        assert_eq!(
            [text(&message, "PID-3[2].1"), text(&message, "PID-3[2].4"), text(&message, "PID-3[2].5")],
            ["9990000018", "NHSNBR", "NHSNMBR"]
        );
        assert_eq!([text(&message, "PID-5.1"), text(&message, "PID-5.2"), text(&message, "PID-5.7")], ["O'Neill", "Zoë", "CURRENT"]);
        assert_eq!([text(&message, "PV1-2"), text(&message, "PV1-3.1"), text(&message, "PV1-19.1")], ["OUTPATIENT", "KOBLER", "77"]);
        assert_eq!([text(&message, "MSH-9.2"), text(&message, "MSH-12"), text(&message, "PID-32")], ["A04", "2.3", "NSTS01"]);
    }

    #[test]
    fn careflow_names_the_trust_that_it_belongs_to_on_the_day() {
        for (day, organisation) in [(date(2024, 12, 31), "RAP"), (date(2025, 1, 1), "RAL")] {
            let at = day.at(9, 0, 0, 0);
            let message = written(Site::NorthMid, attendance("NMHIV", at), at);
            assert_eq!([text(&message, "MSH-4"), text(&message, "PID-3[2].4")], [organisation, organisation]);
            assert_eq!([text(&message, "PID-3[1].4"), text(&message, "PID-3[1].5"), text(&message, "MSH-9.3")], ["NHS", "NH", "ADT_A01"]);
        }
    }

    #[test]
    fn a_result_carries_its_number_code_value_and_status() {
        let at = date(2024, 5, 2).at(11, 0, 0, 0);
        let observations = vec![Observation::words(("HIVCF", "HIV confirmatory"), "HIV-1 CONFIRMED")];
        let results = Results {
            number: "24L1".into(),
            battery: ("VSER", "Virology serology"),
            collected: at,
            location: "KOBLER",
            status: "C",
            observations,
        };
        let message = written(Site::ChelWest, Body::Results(results), at);
        assert_eq!(
            [text(&message, "OBR-3.1"), text(&message, "OBX-3.1"), text(&message, "OBX-5"), text(&message, "OBX-11")],
            ["24L1", "HIVCF", "HIV-1 CONFIRMED", "C"]
        );
    }
}
