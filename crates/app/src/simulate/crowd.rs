//! The crowd: everybody who is none of the service's business. Made day by day, and forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::clock::{Calendar, FIRST_DAY, LAST_DAY, days_between, later, plus};
use super::known::adt;
use super::people::{CROWD_FROM, Patient, Site};
use super::wire::{Appointment, Body, Class, Coded, Draft, Observation, Results, Visit};

/// Messages of a site in the whole story, at scale 1.
const fn messages(site: Site) -> f64 {
    match site {
        Site::ChelWest => 410_000.0,
        Site::NorthMid => 205_000.0,
    }
}

/// How likely somebody new comes, instead of somebody who was there before: this makes about 180,000 people.
const SOMEBODY_NEW: f64 = 0.59;

/// Messages by the hour of a day, in parts of their sum: quiet nights, busy mornings.
const BY_HOUR: [u16; 24] = [9, 7, 6, 5, 5, 8, 15, 32, 70, 104, 112, 108, 92, 88, 98, 96, 84, 60, 40, 32, 26, 21, 16, 12];

/// How much happens on a day, where a working day is 1.
fn weight(calendar: &Calendar, day: Date) -> f64 {
    if calendar.is_working(day) {
        return 1.0;
    }
    match day.weekday() {
        jiff::civil::Weekday::Saturday => 0.42,
        jiff::civil::Weekday::Sunday => 0.36,
        _ => 0.4,
    }
}

/// A site's crowd.
pub(super) struct Crowd {
    site: Site,
    seed: u64,
    scale: f64,
    /// The sum of the weights of all days, and of those before today.
    weights: (f64, f64),
    /// How many people have come so far.
    people: u32,
    numbers: u32,
    /// What is still to come of what began on an earlier day.
    coming: BTreeMap<Date, Vec<(DateTime, Draft)>>,
}

impl Crowd {
    pub(super) fn new(site: Site, seed: u64, scale: f64, calendar: &Calendar) -> Self {
        let mut day = FIRST_DAY;
        let mut sum = 0.0;
        while day <= LAST_DAY {
            sum += weight(calendar, day);
            day = plus(day, 1);
        }
        Self { site, seed, scale, weights: (sum, 0.0), people: 0, numbers: 0, coming: BTreeMap::new() }
    }

    pub(super) const fn site(&self) -> Site {
        self.site
    }

    /// The day's messages, not yet in order. Days must be asked for one after another.
    pub(super) fn day(&mut self, calendar: &Calendar, day: Date) -> Vec<(DateTime, Draft)> {
        let today = self.messages_on(calendar, day);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let stream = 2_u64 << 40 | u64::from(self.site == Site::NorthMid) << 36;
        rng.set_stream(stream | u64::try_from(days_between(FIRST_DAY, day)).unwrap_or(0));
        let drafts = self.coming.remove(&day).unwrap_or_default();
        let mut scene = Scene { crowd: self, rng, calendar, today: day, drafts };
        while scene.drafts.len() < today {
            scene.play();
        }
        scene.drafts
    }

    /// How many messages there are on a day; over the year the fractions add up.
    fn messages_on(&mut self, calendar: &Calendar, day: Date) -> usize {
        let (sum, before) = self.weights;
        let after = before + weight(calendar, day);
        self.weights.1 = after;
        let until = |weight: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most some millions")]
            let count = (messages(self.site) * self.scale.max(0.0) * weight / sum).round() as usize;
            count
        };
        until(after).saturating_sub(until(before))
    }
}

/// One day while it is being made.
struct Scene<'a> {
    crowd: &'a mut Crowd,
    rng: ChaCha8Rng,
    calendar: &'a Calendar,
    today: Date,
    drafts: Vec<(DateTime, Draft)>,
}

impl Scene<'_> {
    fn play(&mut self) {
        match self.crowd.site {
            Site::ChelWest => match self.rng.random_range(0..100) {
                0..22 => self.outpatient(),
                22..38 => self.appointment(),
                38..60 => self.emergency(),
                60..66 => self.planned_admission(),
                66..86 => self.tests_only(),
                86..92 => self.other_order(),
                92..99 => self.details(),
                _ => self.joined(),
            },
            Site::NorthMid => match self.rng.random_range(0..100) {
                0..28 => self.outpatient(),
                28..50 => self.appointment(),
                50..76 => self.emergency(),
                76..83 => self.planned_admission(),
                83..89 => self.other_order(),
                89..99 => self.details(),
                _ => self.joined(),
            },
        }
    }

    fn chance(&mut self, likely: f64) -> bool {
        self.rng.random_bool(likely)
    }

    /// Sends today, or when its day comes.
    fn send(&mut self, at: DateTime, draft: Draft) {
        if at.date() == self.today {
            self.drafts.push((at, draft));
        } else if at.date() > self.today && at.date() <= LAST_DAY {
            self.crowd.coming.entry(at.date()).or_default().push((at, draft));
        }
    }

    fn number(&mut self) -> u32 {
        self.crowd.numbers += 1;
        self.crowd.numbers
    }

    fn somebody(&mut self) -> Arc<Patient> {
        let people = self.crowd.people;
        let index = if people == 0 || self.rng.random_bool(SOMEBODY_NEW) {
            self.crowd.people += 1;
            people
        } else {
            self.rng.random_range(0..people)
        };
        Arc::new(Patient::new(self.crowd.seed, self.crowd.site, CROWD_FROM + index, (0, 96)))
    }

    /// Any time of the day, as busy as it is.
    fn any_time(&mut self) -> DateTime {
        let mut drawn = self.rng.random_range(0..BY_HOUR.iter().sum::<u16>());
        let mut hour = 0;
        for (index, part) in BY_HOUR.iter().enumerate() {
            if drawn < *part {
                hour = i8::try_from(index).unwrap_or(0);
                break;
            }
            drawn -= part;
        }
        self.today.at(hour, self.rng.random_range(0..60), self.rng.random_range(0..60), 0)
    }

    /// A time of a clinic, on this day.
    fn clinic_time(&mut self, day: Date) -> DateTime {
        let minutes = self.rng.random_range(0..9 * 60);
        later(day.at(8, 30, self.rng.random_range(0..60), 0), minutes)
    }

    fn place(&mut self, class: Class) -> (&'static str, &'static str) {
        let places: &[(&str, &str)] = match (self.crowd.site, class) {
            (Site::ChelWest, Class::Emergency) => &[("ED", "180"), ("UTC", "180"), ("PAEDS-ED", "180")],
            (Site::ChelWest, Class::Outpatient) => WEST_CLINICS,
            (Site::ChelWest, _) => &[
                ("AAU", "300"),
                ("DAVIDERSKINE", "301"),
                ("NELLGWYNNE", "430"),
                ("ANNESTEWART", "502"),
                ("MERCURY", "420"),
                ("BURNS", "161"),
            ],
            (Site::NorthMid, Class::Emergency) => &[("ED", "180"), ("UCC", "180")],
            (Site::NorthMid, Class::Outpatient) => NORTH_CLINICS,
            (Site::NorthMid, _) => &[("AMU", "300"), ("PYMMES2", "430"), ("S3", "100"), ("LDW", "501"), ("RAINBOW", "420")],
        };
        places.choose(&mut self.rng).copied().unwrap_or(("ED", "180"))
    }

    fn visit(&mut self, class: Class, from: DateTime) -> Visit {
        let (location, specialty) = self.place(class);
        Visit { number: format!("{}", 20_000_000 + self.number()), class, location, specialty, from, until: None }
    }

    fn outpatient(&mut self) {
        let day = self.calendar.working_from(self.today);
        let at = if day == self.today || self.chance(0.7) { self.clinic_time(day) } else { self.any_time() };
        let who = self.somebody();
        self.arrives(&who, at);
    }

    fn arrives(&mut self, who: &Arc<Patient>, at: DateTime) {
        let mut visit = self.visit(Class::Outpatient, at);
        let diagnosis = if self.chance(0.12) { DIAGNOSES.choose(&mut self.rng).copied() } else { None };
        self.send(at, adt(who, "A04", Some(visit.clone()), diagnosis));
        if self.chance(0.15) {
            self.send(later(at, 12), adt(who, "A08", Some(visit.clone()), None));
        }
        if self.chance(0.02) {
            self.send(later(at, 25), adt(who, "A11", Some(visit), None));
            return;
        }
        if self.chance(0.3) {
            self.tests(who, visit.location, later(at, 40));
        }
        if self.chance(0.35) {
            let gone = later(at, 55);
            visit.until = Some(gone);
            self.send(gone, adt(who, "A03", Some(visit), None));
        }
    }

    fn appointment(&mut self) {
        let who = self.somebody();
        let day = self.calendar.working_from(plus(self.today, self.rng.random_range(2..75)));
        let start = self.clinic_time(day);
        let (location, _) = self.place(Class::Outpatient);
        let appointment = Appointment { number: format!("{}", 30_000_000 + self.number()), location, start, minutes: 20 };
        let booking = |trigger, appointment: &Appointment| Draft {
            who: who.clone(),
            body: Body::Booking { trigger, appointment: appointment.clone() },
        };
        let booked = self.any_time();
        self.send(booked, booking("S12", &appointment));
        let before = self.clinic_time(self.calendar.working_until(plus(day, -2)));
        match self.rng.random_range(0..100) {
            0..74 => self.arrives(&who, later(start, -8)),
            74..83 => self.send(later(start, 60), booking("S26", &appointment)),
            83..90 => self.send(before.max(later(booked, 5)), booking("S15", &appointment)),
            90..95 => self.send(before.max(later(booked, 5)), booking("S14", &appointment)),
            _ => {
                let again = Appointment { start: later(start, 7 * 24 * 60), ..appointment.clone() };
                self.send(before.max(later(booked, 5)), booking("S13", &again));
            }
        }
    }

    fn emergency(&mut self) {
        let who = self.somebody();
        let at = self.any_time();
        let mut visit = self.visit(Class::Emergency, at);
        self.send(at, adt(&who, "A04", Some(visit.clone()), None));
        if self.chance(0.55) {
            self.tests(&who, visit.location, later(at, 70));
        }
        let leaves = later(at, self.rng.random_range(60..300));
        if self.chance(0.78) {
            visit.until = Some(leaves);
            self.send(leaves, adt(&who, "A03", Some(visit), None));
        } else {
            self.admitted(&who, leaves);
        }
    }

    /// A stay: admission, perhaps a transfer, tests, discharge, and now and then a discharge that was not.
    fn admitted(&mut self, who: &Arc<Patient>, at: DateTime) {
        let mut visit = self.visit(Class::Inpatient, at);
        self.send(at, adt(who, "A01", Some(visit.clone()), None));
        if self.chance(0.03) {
            self.send(later(at, 30), adt(who, "A11", Some(visit), None));
            return;
        }
        if self.chance(0.5) {
            visit.location = self.place(Class::Inpatient).0;
            self.send(later(at, 420), adt(who, "A02", Some(visit.clone()), None));
        }
        let days = self.rng.random_range(1..9);
        for day in 1..days {
            if self.chance(0.35) {
                self.tests(who, visit.location, later(at, day * 24 * 60));
            }
        }
        let coded = if self.chance(0.6) { DIAGNOSES.choose(&mut self.rng).copied() } else { None };
        let gone = later(plus(at.date(), days).at(10, 0, self.rng.random_range(0..60), 0), self.rng.random_range(0..8 * 60));
        visit.until = Some(gone);
        self.send(gone, adt(who, "A03", Some(visit.clone()), coded));
        if self.chance(0.02) {
            let back = later(gone, 15);
            self.send(back, adt(who, "A13", Some(visit.clone()), None));
            self.send(later(back, 180), adt(who, "A03", Some(visit), None));
        }
    }

    fn planned_admission(&mut self) {
        let who = self.somebody();
        let at = self.any_time();
        let comes = self.calendar.working_from(plus(self.today, self.rng.random_range(2..28))).at(7, 30, self.rng.random_range(0..60), 0);
        let visit = self.visit(Class::Preadmit, comes);
        self.send(at, adt(&who, "A05", Some(visit.clone()), None));
        if self.chance(0.92) {
            self.admitted(&who, comes);
        } else {
            self.send(later(comes, -900), adt(&who, "A11", Some(visit), None));
        }
    }

    /// Tests for a practice outside.
    fn tests_only(&mut self) {
        let who = self.somebody();
        let at = self.any_time();
        self.tests(&who, "GP-LAB", at);
    }

    fn tests(&mut self, who: &Arc<Patient>, location: &'static str, at: DateTime) {
        // The other hospital's laboratory has no feed here.
        if self.crowd.site == Site::NorthMid {
            return;
        }
        let draw = self.rng.random_range(0..1_000);
        let adult = who.years_on(self.today) >= 16;
        let (battery, observations) = match draw {
            0..330 => (("FBC", "Full blood count"), self.numbers(FULL_BLOOD_COUNT)),
            330..650 => (("UE", "Urea and electrolytes"), self.numbers(ELECTROLYTES)),
            650..740 => (("GLU", "Glucose"), self.numbers(GLUCOSE)),
            740..840 => (("CRP", "C-reactive protein"), self.numbers(CRP)),
            840..940 => (("LFT", "Liver function tests"), self.numbers(LIVER)),
            _ if adult => (("BBVS", "Blood borne virus screen"), self.screen()),
            _ => (("FBC", "Full blood count"), self.numbers(FULL_BLOOD_COUNT)),
        };
        let number = format!("24L{:07}", self.number());
        let reported = later(at, self.rng.random_range(35..240));
        let unconfirmed = observations.iter().any(|one| one.value == "REACTIVE");
        let results = Results { number, battery, collected: at, location, status: "F", observations };
        self.send(reported, Draft { who: who.clone(), body: Body::Results(results) });
        if unconfirmed {
            self.not_confirmed(who, location, reported);
        }
    }

    /// Most people who are screened have nothing; a few reactions are not confirmed.
    fn screen(&mut self) -> Vec<Observation> {
        let hiv = if self.chance(0.003) { "REACTIVE" } else { "NON-REACTIVE" };
        vec![
            Observation::words(("HIVAGAB", "HIV 1+2 antigen/antibody screen"), hiv),
            Observation::words(("HBSAG", "Hepatitis B surface antigen"), "NEGATIVE"),
            Observation::words(("HCVAB", "Hepatitis C antibody"), "NEGATIVE"),
        ]
    }

    fn not_confirmed(&mut self, who: &Arc<Patient>, location: &'static str, after: DateTime) {
        let number = format!("24L{:07}", self.number());
        let at = later(after, 3 * 24 * 60);
        let observations = vec![Observation::words(("HIVCF", "HIV confirmatory"), "NEGATIVE")];
        let results = Results { number, battery: ("VSER", "Virology serology"), collected: after, location, status: "F", observations };
        self.send(at, Draft { who: who.clone(), body: Body::Results(results) });
    }

    fn numbers(&mut self, battery: &[Measured]) -> Vec<Observation> {
        let mut observations = Vec::with_capacity(battery.len());
        for (code, units, range, low, high, decimals) in battery {
            let span = high - low;
            // Some lie outside the range, on either side.
            let value = self.rng.random_range(low - span / 6..=high + span / 6).max(0);
            let flag = if value < *low {
                "L"
            } else if value > *high {
                "H"
            } else {
                ""
            };
            let value = match decimals {
                0 => value.to_string(),
                _ => format!("{}.{}", value / 10, value % 10),
            };
            observations.push(Observation { code: *code, value, units, range, flag });
        }
        observations
    }

    /// Orders and referrals for other services.
    fn other_order(&mut self) {
        let who = self.somebody();
        let at = self.any_time();
        let number = self.number();
        let body = match self.crowd.site {
            Site::ChelWest => {
                let service = OTHER_ORDERS.choose(&mut self.rng).copied().unwrap_or(("XRCHE", "X-ray chest"));
                Body::Order { control: "NW", number: format!("{}", 550_000_000 - number), service }
            }
            Site::NorthMid => {
                let service = OTHER_REFERRALS.choose(&mut self.rng).copied().unwrap_or(("PHYSIO", "Physiotherapy"));
                Body::Referral { number: format!("R{:08}", 90_000_000 + number), service }
            }
        };
        self.send(at, Draft { who, body });
    }

    fn details(&mut self) {
        let who = self.somebody();
        let at = self.any_time();
        let trigger = match self.rng.random_range(0..10) {
            0..3 => "A28",
            3..7 => "A31",
            _ => "A08",
        };
        self.send(at, adt(&who, trigger, None, None));
    }

    /// Two registrations of one person are joined.
    fn joined(&mut self) {
        let who = self.somebody();
        let mut retired = Patient::new(self.crowd.seed, self.crowd.site, CROWD_FROM + self.crowd.people, (0, 96));
        self.crowd.people += 1;
        (retired.family, retired.given, retired.born) = (who.family, who.given, who.born);
        let at = self.any_time();
        let body = Body::Adt { trigger: "A40", visit: None, diagnosis: None, died: None, retired: Some(Arc::new(retired)) };
        self.send(at, Draft { who, body });
    }
}

/// A measured result: code, units, range, and from where to where it lies, in whole units or (decimals 1) in tenths.
type Measured = (Coded, &'static str, &'static str, i64, i64, u8);

const FULL_BLOOD_COUNT: &[Measured] = &[
    (("HB", "Haemoglobin"), "g/L", "115-165", 115, 165, 0),
    (("WBC", "White cell count"), "10*9/L", "4.0-11.0", 40, 110, 1),
    (("PLT", "Platelets"), "10*9/L", "150-400", 150, 400, 0),
];
const ELECTROLYTES: &[Measured] = &[
    (("NA", "Sodium"), "mmol/L", "133-146", 133, 146, 0),
    (("K", "Potassium"), "mmol/L", "3.5-5.3", 35, 53, 1),
    (("UREA", "Urea"), "mmol/L", "2.5-7.8", 25, 78, 1),
    (("CREA", "Creatinine"), "umol/L", "49-92", 49, 92, 0),
];
const GLUCOSE: &[Measured] = &[(("GLU", "Glucose"), "mmol/L", "4.0-7.0", 40, 70, 1)];
const CRP: &[Measured] = &[(("CRP", "C-reactive protein"), "mg/L", "0-5", 0, 40, 0)];
const LIVER: &[Measured] = &[
    (("ALT", "Alanine transaminase"), "U/L", "0-40", 8, 60, 0),
    (("ALP", "Alkaline phosphatase"), "U/L", "30-130", 30, 130, 0),
    (("BIL", "Bilirubin"), "umol/L", "0-21", 3, 21, 0),
    (("ALB", "Albumin"), "g/L", "35-50", 35, 50, 0),
];
/// A few of the hospital's clinics; the sexual-health clinics are seen by many who are none of the service's business.
const WEST_CLINICS: &[(&str, &str)] = &[
    ("OPD1", "110"),
    ("OPD1", "120"),
    ("OPD2", "130"),
    ("OPD2", "330"),
    ("ANC", "501"),
    ("EYE", "130"),
    ("DERM", "330"),
    ("CARD", "320"),
    ("ENDO", "302"),
    ("PAEDS-OPD", "420"),
    ("56DEAN", "360"),
    ("10HAMMERSMITH", "360"),
    ("KOBLER", "360"),
    ("FRACTURE", "110"),
];
const NORTH_CLINICS: &[(&str, &str)] = &[
    ("OPD-A", "110"),
    ("OPD-A", "120"),
    ("OPD-B", "330"),
    ("ANC", "501"),
    ("EYE", "130"),
    ("CARDIO", "320"),
    ("DIAB", "302"),
    ("PAEDOPD", "420"),
    ("GUM", "360"),
    ("MARLBOROUGH", "360"),
    ("FRACT", "110"),
];
const DIAGNOSES: &[Coded] = &[
    ("I10", "Essential hypertension"),
    ("E11.9", "Type 2 diabetes mellitus"),
    ("J18.9", "Pneumonia, unspecified"),
    ("N39.0", "Urinary tract infection"),
    ("S52.5", "Fracture of lower end of radius"),
    ("O80", "Single spontaneous delivery"),
    ("K80.2", "Calculus of gallbladder"),
    ("M54.5", "Low back pain"),
    ("Z11.4", "Special screening examination for human immunodeficiency virus"),
    ("R75", "Laboratory evidence of human immunodeficiency virus"),
    ("A54.0", "Gonococcal infection of lower genitourinary tract"),
    ("L40.0", "Psoriasis vulgaris"),
    ("H25.1", "Senile nuclear cataract"),
    ("F41.1", "Generalised anxiety disorder"),
];
const OTHER_ORDERS: &[Coded] = &[
    ("XRCHE", "X-ray chest"),
    ("PHYSREF", "Physiotherapy referral"),
    ("FBC", "Full blood count"),
    ("BBVS", "Blood borne virus screen"),
    ("DIETREF", "Dietitian referral"),
    ("ECG12", "Electrocardiogram"),
    ("WELLCHK", "Wellbeing check of staff"),
];
const OTHER_REFERRALS: &[Coded] = &[
    ("PHYSIO", "Physiotherapy"),
    ("DIET", "Dietetics"),
    ("CARDIO", "Cardiology"),
    ("SALT", "Speech and language therapy"),
    ("FALLS", "Falls clinic"),
    ("HVISIT", "Home visiting"),
];
