//! The configuration: sites, feeds, the people who work here, instruments, agreed values. Read whole, or refused whole.

use std::collections::{BTreeMap, BTreeSet};

use alongside_domain::instrument::Instrument;
use alongside_domain::person::SiteId;
use alongside_domain::policy::Policy;
use alongside_domain::session::Limits;
use alongside_domain::supporter::{Basis, Role, StaffId, Supporter};
use jiff::civil::Date;
use serde::Deserialize;

use crate::failure::Invalid;
use crate::instruments;
use crate::profile::{self, Profile, Reading};

mod fhir_client;
mod identity;

pub use fhir_client::{ClientKeys, FhirClient};
pub use identity::{ClientCredential, IdentityProvider, Launch, SigningAlgorithm};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    server: Server,
    #[serde(default)]
    policy: PolicyFile,
    #[serde(default)]
    sign_in: SignInFile,
    #[serde(default)]
    site: Vec<SiteFile>,
    #[serde(default)]
    feed: Vec<FeedFile>,
    #[serde(default)]
    staff: Vec<StaffFile>,
    #[serde(default)]
    supporter: Vec<SupporterFile>,
    #[serde(default)]
    identity_provider: Vec<identity::IdentityProviderFile>,
    #[serde(default)]
    fhir_client: Vec<fhir_client::FhirClientFile>,
}

/// The longest name that a service gives the program.
const NAME_CHARACTERS_MAX: usize = 40;

/// Where the program keeps things and listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// Address of the pages: loopback only, behind a proxy that speaks TLS.
    pub http: String,
    /// Address of the numbers by which machines are watched: loopback only. None: they are not served.
    pub metrics: Option<String>,
    /// Where browsers find the pages: scheme, host and port, nothing after. Links and passkeys are bound to it. Without it,
    /// the address of `http`.
    pub origin: Option<String>,
    /// What the service calls the program, in the head of each page and its title. Never what the service is about.
    pub name: Option<String>,
    /// A style sheet of the service's own, which comes after the program's.
    pub stylesheet: Option<String>,
    /// The hosts whose pages may show ours in a frame: the hospitals' records. Each as `https://host`.
    pub embedded_by: Vec<String>,
    /// Folder into which letters are written; without one they stay queued and are listed.
    pub letters: Option<String>,
    /// The file of keys; where it names no folder, beside the configuration.
    pub keys: String,
    /// The file to which heads of the audit are added; where it names no folder, beside the configuration.
    pub audit_heads: String,
    /// Folder with further profiles.
    pub profiles: Option<String>,
    /// Folder with further instruments.
    pub instruments: Option<String>,
    /// Days for which a message that was set aside is kept.
    pub quarantine_days: u16,
    /// The largest message in MiB.
    pub message_mib_max: u16,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            database: "sqlite:alongside.db".into(),
            http: "127.0.0.1:8080".into(),
            metrics: None,
            origin: None,
            name: None,
            stylesheet: None,
            embedded_by: Vec::new(),
            letters: None,
            keys: "alongside.keys".into(),
            audit_heads: "audit-heads.log".into(),
            profiles: None,
            instruments: None,
            quarantine_days: 30,
            message_mib_max: 16,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PolicyFile {
    gap_months: u16,
    adult_age: i16,
    promise_working_days: u16,
    repeat_assessment_days: u16,
    longest_deferral_days: u16,
}

impl Default for PolicyFile {
    fn default() -> Self {
        let Policy { gap_months, adult_age, promise_working_days, repeat_assessment_days, longest_deferral_days } = Policy::default();
        Self { gap_months, adult_age, promise_working_days, repeat_assessment_days, longest_deferral_days }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SignInFile {
    idle_minutes: u16,
    absolute_hours: u16,
}

impl Default for SignInFile {
    fn default() -> Self {
        let Limits { idle_minutes, absolute_hours } = Limits::default();
        Self { idle_minutes, absolute_hours }
    }
}

/// How people sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// How long a session lasts.
    pub limits: Limits,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteFile {
    key: String,
    title: String,
    organisations: Vec<Organisation>,
    #[serde(default)]
    partner: Vec<PartnerFile>,
}

/// An organisation that runs a site, from a day and until a day: organisations merge, sites go on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// ODS code.
    pub code: String,
    /// First day.
    #[serde(default, deserialize_with = "optional_date")]
    pub from: Option<Date>,
    /// Last day.
    #[serde(default, deserialize_with = "optional_date")]
    pub until: Option<Date>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartnerFile {
    key: String,
    title: String,
    #[serde(default)]
    basis: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedFile {
    key: String,
    site: String,
    profile: String,
    listen: Option<String>,
    #[serde(default)]
    processing: Vec<String>,
    tls_certificate: Option<String>,
    tls_key: Option<String>,
    tls_clients: Option<String>,
    send: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StaffFile {
    key: String,
    name: String,
    role: String,
    sites: Vec<String>,
    partner: Option<String>,
    #[serde(default, deserialize_with = "optional_date")]
    until: Option<Date>,
    #[serde(default)]
    sees_shielded: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SupporterFile {
    key: String,
    first_name: String,
    partner: String,
    sites: Vec<String>,
    #[serde(deserialize_with = "date")]
    from: Date,
    #[serde(default, deserialize_with = "optional_date")]
    until: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    training_until: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    dbs_until: Option<Date>,
    capacity: u32,
}

fn date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    optional_date(deserializer)?.ok_or_else(|| serde::de::Error::custom("a date is missing"))
}

/// A date written as text or as a TOML date.
fn optional_date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    let text = match &value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.parse().map(Some).map_err(|_| serde::de::Error::custom("must be a date such as 2025-01-06"))
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Key.
    pub key: SiteId,
    /// Title on pages.
    pub title: String,
    /// Who runs it, over time.
    pub organisations: Vec<Organisation>,
    /// Partner charities: key, title, footing.
    pub partners: Vec<(String, String, Basis)>,
}

impl Site {
    /// The ODS code of the organisation that runs it on a day.
    #[must_use]
    pub fn run_by(&self, day: Date) -> Option<&str> {
        let runs = |run: &&Organisation| run.from.is_none_or(|from| from <= day) && run.until.is_none_or(|until| until >= day);
        self.organisations.iter().find(runs).map(|run| run.code.as_str())
    }
}

/// A sending system at a site.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Key.
    pub key: String,
    /// Whose patients it speaks of.
    pub site: SiteId,
    /// What it means by what it sends.
    pub profile: Profile,
    /// Address of the MLLP listener, for feeds of messages.
    pub listen: Option<String>,
    /// Processing ids (MSH-11) that are taken.
    pub processing: Vec<String>,
    /// TLS of the listener; without it, it listens in the clear.
    pub tls: Option<Tls>,
    /// Address of the sender's own MLLP listener, to which it is told how its orders go on.
    pub send: Option<String>,
}

/// Both sides of a feed's listener prove who they are: its certificate, and those of its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The file of the listener's certificates, its own first, in PEM.
    pub certificate: String,
    /// The file of its private key, in PEM.
    pub key: String,
    /// The file of the authorities whose certificates clients must have, in PEM.
    pub clients: String,
    /// The last day on which all of these certificates are good, once the files were read.
    pub ends_on: Option<Date>,
}

impl Feed {
    /// Whether it takes lists, and not messages.
    #[must_use]
    pub fn is_of_lists(&self) -> bool {
        matches!(self.profile.reading, Reading::List(_))
    }
}

/// Somebody who works at a clinic or for the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// Key.
    pub id: StaffId,
    /// Name on pages.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Sites.
    pub sites: Vec<SiteId>,
    /// The key of the partner organisation of which they see the part only; none for the service's own staff.
    pub partner: Option<String>,
    /// The last day on which they work here, where it is known.
    pub until: Option<Date>,
    /// Whether they look after shielded records.
    pub sees_shielded: bool,
}

/// Everything that is configured.
#[derive(Debug)]
pub struct Setup {
    /// Where things are kept and listened for.
    pub server: Server,
    /// Agreed values.
    pub policy: Policy,
    /// How people sign in.
    pub sign_in: SignIn,
    /// Sites by key.
    pub sites: BTreeMap<String, Site>,
    /// Feeds by key.
    pub feeds: BTreeMap<String, Feed>,
    /// Staff by key.
    pub staff: BTreeMap<String, Staff>,
    /// Supporters by key.
    pub supporters: BTreeMap<String, Supporter>,
    /// Identity providers by key.
    pub identity_providers: BTreeMap<String, IdentityProvider>,
    /// Hospitals' systems that ask over FHIR, by key.
    pub fhir_clients: BTreeMap<String, FhirClient>,
    /// Instruments by id.
    pub instruments: BTreeMap<String, Instrument>,
}

/// Further files beside the built-in ones: name (without ending) and text.
#[derive(Debug, Default)]
pub struct Extra {
    /// Profiles; one of a built-in name replaces it.
    pub profiles: Vec<(String, String)>,
    /// Instruments; one of a built-in name replaces it.
    pub instruments: Vec<(String, String)>,
}

impl Setup {
    /// Sites with nobody who looks after records of colleagues: somebody whose record closes there would be on nobody's
    /// list. It may be so while a service is set up; whoever runs it is told.
    pub fn sites_without_shielded_care(&self) -> impl Iterator<Item = &Site> {
        let looks_after = |site: &Site| {
            let clinicians = self.staff.values().filter(|member| member.role == Role::Clinician && member.sees_shielded);
            clinicians.into_iter().any(|member| member.sites.contains(&site.key))
        };
        self.sites.values().filter(move |site| !looks_after(site))
    }

    /// Sites with more than one feed of lists: the clinic's page takes a list as that of the first by key.
    pub fn sites_with_several_lists(&self) -> impl Iterator<Item = &Site> {
        let lists = |site: &Site| self.feeds.values().filter(|feed| feed.site == site.key && feed.is_of_lists()).count();
        self.sites.values().filter(move |site| lists(site) > 1)
    }

    /// Reads the server's part alone, to know where further files are.
    ///
    /// # Errors
    /// Where the text is no configuration.
    pub fn server(text: &str) -> Result<Server, Vec<Invalid>> {
        parse(text).map(|file| file.server)
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// Every problem, with its place.
    pub fn read(text: &str, extra: &Extra) -> Result<Self, Vec<Invalid>> {
        let file = parse(text)?;
        let mut reader = Reader { problems: Vec::new() };
        let sites = reader.sites(&file.site);
        let feeds = reader.feeds(&file.feed, &sites, extra);
        let staff = reader.staff(&file.staff, &sites);
        let supporters = reader.supporters(&file.supporter, &sites);
        let identity_providers = reader.identity_providers(&file.identity_provider, &sites);
        let taken = staff.keys().chain(supporters.keys()).chain(feeds.keys()).collect();
        let fhir_clients = reader.fhir_clients(&file.fhir_client, &sites, &identity_providers, &taken);
        let instruments = instruments::read_all(&extra.instruments).unwrap_or_else(|problems| {
            reader.problems.extend(problems);
            BTreeMap::new()
        });
        let policy = reader.policy(&file.policy);
        let sign_in = reader.sign_in(&file.sign_in);
        reader.origin(file.server.origin.as_deref());
        reader.looks(&file.server);
        if reader.problems.is_empty() {
            Ok(Self {
                server: file.server,
                policy,
                sign_in,
                sites,
                feeds,
                staff,
                supporters,
                identity_providers,
                fhir_clients,
                instruments,
            })
        } else {
            Err(reader.problems)
        }
    }

    /// The title of a site; its key where it is no longer configured.
    #[must_use]
    pub fn site_title(&self, site: &SiteId) -> String {
        self.sites.get(&site.0).map_or_else(|| site.0.clone(), |site| site.title.clone())
    }

    /// The title of a partner; its key where it is no longer configured.
    #[must_use]
    pub fn partner_title(&self, partner: &str) -> String {
        let mut partners = self.sites.values().flat_map(|site| &site.partners);
        partners.find(|(key, _, _)| key == partner).map_or_else(|| partner.to_owned(), |(_, title, _)| title.clone())
    }

    /// Where browsers find the pages. Where nothing is configured, by name on this machine: browsers make no passkeys for an
    /// address in numbers.
    #[must_use]
    pub fn origin(&self) -> String {
        let port = || self.server.http.rsplit_once(':').map_or("80", |(_, port)| port);
        self.server.origin.clone().unwrap_or_else(|| format!("http://localhost:{}", port()))
    }

    /// A member of staff, to act.
    #[must_use]
    pub fn staff_actor(&self, key: &str) -> Option<alongside_domain::decision::Actor> {
        if let Some(staff) = self.staff.get(key) {
            return Some(alongside_domain::decision::Actor::Staff { id: staff.id.clone(), role: staff.role });
        }
        self.supporters
            .get(key)
            .map(|supporter| alongside_domain::decision::Actor::Staff { id: supporter.id.clone(), role: Role::Supporter })
    }

    /// The name to show for a key of staff or supporter: the first name of a supporter.
    #[must_use]
    pub fn name_of(&self, key: &str) -> String {
        let staff = self.staff.get(key).map(|staff| staff.name.clone());
        staff.or_else(|| self.supporters.get(key).map(|supporter| supporter.first_name.clone())).unwrap_or_else(|| key.to_owned())
    }
}

fn parse(text: &str) -> Result<File, Vec<Invalid>> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        vec![Invalid::new(format!("line {line}"), error.message().to_owned())]
    })
}

struct Reader {
    problems: Vec<Invalid>,
}

impl Reader {
    fn say(&mut self, place: String, what: &str) {
        self.problems.push(Invalid::new(place, what));
    }

    fn policy(&mut self, file: &PolicyFile) -> Policy {
        for (name, value, min, max) in [
            ("gap_months", i64::from(file.gap_months), 6, 60),
            ("adult_age", i64::from(file.adult_age), 16, 25),
            ("promise_working_days", i64::from(file.promise_working_days), 1, 30),
            ("repeat_assessment_days", i64::from(file.repeat_assessment_days), 14, 730),
            ("longest_deferral_days", i64::from(file.longest_deferral_days), 7, 1100),
        ] {
            if value < min || value > max {
                self.say(format!("policy.{name}"), &format!("must be between {min} and {max}"));
            }
        }
        Policy {
            gap_months: file.gap_months,
            adult_age: file.adult_age,
            promise_working_days: file.promise_working_days,
            repeat_assessment_days: file.repeat_assessment_days,
            longest_deferral_days: file.longest_deferral_days,
        }
    }

    fn sign_in(&mut self, file: &SignInFile) -> SignIn {
        for (name, value, (least, most)) in
            [("idle_minutes", file.idle_minutes, Limits::IDLE_MINUTES), ("absolute_hours", file.absolute_hours, Limits::ABSOLUTE_HOURS)]
        {
            if value < least || value > most {
                self.say(format!("sign_in.{name}"), &format!("must be between {least} and {most}"));
            }
        }
        SignIn { limits: Limits { idle_minutes: file.idle_minutes, absolute_hours: file.absolute_hours } }
    }

    /// A name that stands in titles and in histories says nothing about anybody; the hosts go into a header as they are.
    fn looks(&mut self, server: &Server) {
        let telling = |name: &str| name.to_lowercase().contains("hiv");
        if server.name.as_deref().is_some_and(|name| name.trim().is_empty() || name.chars().count() > NAME_CHARACTERS_MAX || telling(name))
        {
            self.say("server.name".into(), "must be some words that tell nobody what the service is about");
        }
        for (index, host) in server.embedded_by.iter().enumerate() {
            let name = host.split_once("://").map_or("", |(_, name)| name);
            let sound = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c));
            if identity::web_address(host).is_err() || !sound(name) {
                self.say(format!("server.embedded_by[{}]", index + 1), "must be https:// and a host, with nothing after it");
            }
        }
    }

    /// Browsers keep the session's cookie, and make passkeys, over TLS or on their own machine alone.
    fn origin(&mut self, origin: Option<&str>) {
        let Some(origin) = origin else { return };
        let own =
            |host: &str| ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host == *name || host.starts_with(&format!("{name}:")));
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://").filter(|host| own(host)));
        if !host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@']) && !host.contains(char::is_whitespace)) {
            self.say("server.origin".into(), "must be https:// and a host, with nothing after it");
        }
    }

    fn sites(&mut self, files: &[SiteFile]) -> BTreeMap<String, Site> {
        let mut sites = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            let partners = file.partner.iter().enumerate().map(|(p, partner)| {
                let basis = partner.basis.as_deref().map_or(Some(Basis::Outside), Basis::from_code);
                if basis.is_none() {
                    self.say(format!("site[{index}].partner[{p}].basis"), "must be inside or outside");
                }
                (partner.key.clone(), partner.title.clone(), basis.unwrap_or(Basis::Outside))
            });
            let site = Site {
                key: SiteId(file.key.clone()),
                title: file.title.clone(),
                partners: partners.collect(),
                organisations: file.organisations.clone(),
            };
            if file.organisations.is_empty() {
                self.say(format!("site[{index}].organisations"), "needs at least one organisation");
            }
            if sites.insert(file.key.clone(), site).is_some() {
                self.say(format!("site[{index}].key"), "stands twice");
            }
        }
        sites
    }

    fn feeds(&mut self, files: &[FeedFile], sites: &BTreeMap<String, Site>, extra: &Extra) -> BTreeMap<String, Feed> {
        let mut feeds = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            let Some(site) = sites.get(&file.site) else {
                self.say(format!("feed[{index}].site"), "is not a configured site");
                continue;
            };
            let Some(text) = profile_text(&file.profile, extra) else {
                self.say(format!("feed[{index}].profile"), "there is no profile of this name");
                continue;
            };
            let codes: Vec<String> = site.organisations.iter().map(|organisation| organisation.code.clone()).collect();
            match profile::bind(text, &file.site, &codes) {
                Ok(profile) => {
                    let processing = if file.processing.is_empty() { vec!["P".to_owned()] } else { file.processing.clone() };
                    let tls = self.tls(&format!("feed[{index}]"), file);
                    let listen = file.listen.clone();
                    let send = file.send.clone();
                    let feed = Feed { key: file.key.clone(), site: site.key.clone(), profile, listen, processing, tls, send };
                    let port = feed.send.as_deref().map(|send| send.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()));
                    if port == Some(None) || (feed.send.is_some() && feed.is_of_lists()) {
                        self.say(format!("feed[{index}].send"), "must be host:port, of a feed of messages");
                    }
                    if feeds.insert(file.key.clone(), feed).is_some() {
                        self.say(format!("feed[{index}].key"), "stands twice");
                    }
                }
                Err(problems) => {
                    self.problems
                        .extend(problems.into_iter().map(|p| Invalid::new(format!("profile {}: {}", file.profile, p.place), p.what)));
                }
            }
        }
        feeds
    }

    fn tls(&mut self, place: &str, file: &FeedFile) -> Option<Tls> {
        match (&file.tls_certificate, &file.tls_key, &file.tls_clients) {
            (None, None, None) => None,
            (Some(certificate), Some(key), Some(clients)) if file.listen.is_some() => {
                Some(Tls { certificate: certificate.clone(), key: key.clone(), clients: clients.clone(), ends_on: None })
            }
            _ => {
                self.say(place.to_owned(), "TLS needs tls_certificate, tls_key and tls_clients together, and listen");
                None
            }
        }
    }

    fn known_sites(&mut self, place: &str, keys: &[String], sites: &BTreeMap<String, Site>) -> Vec<SiteId> {
        let known: BTreeSet<&String> = sites.keys().collect();
        if keys.iter().any(|key| !known.contains(key)) {
            self.say(format!("{place}.sites"), "names a site that is not configured");
        }
        keys.iter().map(|key| SiteId(key.clone())).collect()
    }

    fn staff(&mut self, files: &[StaffFile], sites: &BTreeMap<String, Site>) -> BTreeMap<String, Staff> {
        let mut staff = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            let Some(role) = Role::from_code(&file.role) else {
                self.say(format!("staff[{index}].role"), "is not a role");
                continue;
            };
            let at = self.known_sites(&format!("staff[{index}]"), &file.sites, sites);
            let works_at =
                |site: &SiteId, key: &String| sites.get(&site.0).is_none_or(|site| site.partners.iter().any(|(known, _, _)| known == key));
            if file.partner.as_ref().is_some_and(|key| !at.iter().all(|site| works_at(site, key))) {
                self.say(format!("staff[{index}].partner"), "is not a partner of each of the sites");
            }
            let member = Staff {
                id: StaffId(file.key.clone()),
                name: file.name.clone(),
                role,
                sites: at,
                partner: file.partner.clone(),
                until: file.until,
                sees_shielded: file.sees_shielded,
            };
            if staff.insert(file.key.clone(), member).is_some() {
                self.say(format!("staff[{index}].key"), "stands twice");
            }
        }
        staff
    }

    fn supporters(&mut self, files: &[SupporterFile], sites: &BTreeMap<String, Site>) -> BTreeMap<String, Supporter> {
        let mut supporters = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            let at = self.known_sites(&format!("supporter[{index}]"), &file.sites, sites);
            let footing = |site: &SiteId| {
                let partners = sites.get(&site.0).map(|site| &site.partners);
                partners.and_then(|partners| partners.iter().find(|(key, _, _)| *key == file.partner)).map(|(_, _, basis)| *basis)
            };
            let with: Vec<_> = at.into_iter().filter_map(|site| footing(&site).map(|basis| (site, basis))).collect();
            if with.len() != file.sites.len() {
                self.say(format!("supporter[{index}].partner"), "is not a partner of each of the sites");
            }
            let supporter = Supporter {
                id: StaffId(file.key.clone()),
                first_name: file.first_name.clone(),
                partner: file.partner.clone(),
                sites: with,
                from: file.from,
                until: file.until,
                training_until: file.training_until,
                dbs_until: file.dbs_until,
                capacity: file.capacity,
            };
            if supporters.insert(file.key.clone(), supporter).is_some() {
                self.say(format!("supporter[{index}].key"), "stands twice");
            }
        }
        supporters
    }
}

fn profile_text<'a>(name: &str, extra: &'a Extra) -> Option<&'a str> {
    let own = extra.profiles.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    own.or_else(|| profile::BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        [[site]]
        key = "here"
        title = "Here"
        organisations = [{ code = "RQM" }, { code = "RAL", from = "2025-01-01" }]
        [[site.partner]]
        key = "charity"
        title = "A charity"
        [[feed]]
        key = "here"
        site = "here"
        profile = "careflow"
        [[supporter]]
        key = "anna"
        first_name = "Anna"
        partner = "charity"
        sites = ["here"]
        from = 2024-01-01
        capacity = 5
    "#;

    const COORDINATOR: &str = r#"
        [[staff]]
        key = "olu"
        name = "Olu"
        role = "coordinator"
        sites = ["here"]
        partner = "charity" # theirs
        until = 2025-03-03
    "#;

    #[test]
    fn what_access_depends_on_is_read() {
        let setup = Setup::read(&format!("{SMALL}training_until = 2025-02-14\n{COORDINATOR}"), &Extra::default()).unwrap();
        let (anna, olu) = (&setup.supporters["anna"], &setup.staff["olu"]);
        assert_eq!((anna.training_until, anna.dbs_until), (Some(jiff::civil::date(2025, 2, 14)), None));
        assert_eq!((olu.partner.as_deref(), olu.until, olu.sees_shielded), (Some("charity"), Some(jiff::civil::date(2025, 3, 3)), false));
    }

    #[test]
    fn a_partner_is_outside_unless_it_says_otherwise() {
        let setup = Setup::read(SMALL, &Extra::default()).unwrap();
        assert_eq!(setup.supporters["anna"].sites[0].1, Basis::Outside);
    }

    #[test]
    fn unknown_keys_and_names_are_refused_with_their_place() {
        let places =
            |text: &str| -> Vec<String> { Setup::read(text, &Extra::default()).unwrap_err().into_iter().map(|p| p.place).collect() };
        assert_eq!(places(&SMALL.replace("capacity", "capcity")), ["line 19"]);
        assert_eq!(places(&SMALL.replace("profile = \"careflow\"", "profile = \"nowhere\"")), ["feed[0].profile"]);
        assert_eq!(places(&SMALL.replace("sites = [\"here\"]", "sites = [\"there\"]")), ["supporter[0].sites", "supporter[0].partner"]);
        assert_eq!(places(&SMALL.replace("capacity", "dbs_until = \"2024-02-30\"\n        capacity")), ["line 19"]);
        assert_eq!(places(&format!("{SMALL}{COORDINATOR}").replace("\"charity\" # theirs", "\"another\"")), ["staff[0].partner"]);
        assert_eq!(places(&format!("{SMALL}\n[policy]\ngap_months = 2")), ["policy.gap_months"]);
        assert_eq!(places(&format!("{SMALL}\n[sign_in]\nidle_minutes = 61")), ["sign_in.idle_minutes"]);
    }

    #[test]
    fn a_site_where_nobody_looks_after_records_of_colleagues_is_told() {
        let without = |text: &str| -> Vec<String> {
            let setup = Setup::read(text, &Extra::default()).unwrap();
            setup.sites_without_shielded_care().map(|site| site.key.0.clone()).collect()
        };
        assert_eq!(without(SMALL), ["here"]);
        let clinician = "\n[[staff]]\nkey = \"sen\"\nname = \"Dr Sen\"\nrole = \"clinician\"\nsites = [\"here\"]\nsees_shielded = true\n";
        assert_eq!(without(&format!("{SMALL}{clinician}")), [""; 0]);
        assert_eq!(without(crate::simulate::DEMO_CONFIGURATION), [""; 0]);
    }

    #[test]
    fn tls_is_whole_or_not_at_all() {
        let read = |lines: &str| {
            let text = SMALL.replace("profile = \"careflow\"", &format!("profile = \"careflow\"\n{lines}"));
            Setup::read(&text, &Extra::default()).map(|setup| setup.feeds["here"].tls.is_some())
        };
        let (listen, all) = ("listen = \"127.0.0.1:0\"", "tls_certificate = \"a\"\ntls_key = \"b\"\ntls_clients = \"c\"");
        assert_eq!(read(listen), Ok(false));
        assert_eq!(read(&format!("{listen}\n{all}")), Ok(true));
        for wrong in [all.to_owned(), format!("{listen}\n{}", all.replace("tls_clients = \"c\"", ""))] {
            assert_eq!(read(&wrong).unwrap_err()[0].place, "feed[0]", "{wrong}");
        }
    }

    #[test]
    fn a_site_with_two_feeds_of_lists_is_told() {
        let several = |text: &str| Setup::read(text, &Extra::default()).unwrap().sites_with_several_lists().count();
        let list = |key: &str| format!("\n[[feed]]\nkey = \"{key}\"\nsite = \"here\"\nprofile = \"clinic-list\"\n");
        assert_eq!(several(&format!("{SMALL}{}", list("one"))), 0);
        assert_eq!(several(&format!("{SMALL}{}{}", list("one"), list("two"))), 1);
    }

    #[test]
    fn a_name_tells_nothing_and_only_hosts_may_embed() {
        let read = |line: &str| Setup::read(&format!("{SMALL}\n[server]\n{line}"), &Extra::default());
        for good in ["name = \"Side by Side\"", "embedded_by = [\"https://record.example\"]"] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in [
            "name = \"HIV support\"",
            "name = \" \"",
            "embedded_by = [\"https://a b\"]",
            "embedded_by = [\"*\"]",
            "embedded_by = [\"https://a/b\"]",
            "embedded_by = [\"http://record.example\"]",
            "embedded_by = [\"https://a;b\"]",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_https_or_this_machine_and_nothing_after_it() {
        let read = |origin: &str| Setup::read(&format!("{SMALL}\n[server]\norigin = \"{origin}\""), &Extra::default());
        for well in
            ["https://alongside.example.nhs.uk", "https://here:8443", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:80"]
        {
            assert!(read(well).is_ok(), "{well}");
        }
        assert_eq!(read("https://here").unwrap().origin(), "https://here");
        assert_eq!(Setup::read(SMALL, &Extra::default()).unwrap().origin(), "http://localhost:8080");
        for wrong in ["http://alongside.example", "http://localhost.example", "https://here/", "https://", "here", "https://a@b", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
