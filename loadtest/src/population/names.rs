//! The names people have: many scripts, each with an ASCII spelling for `userName`.
//!
//! Only names whose lower-case form is also their NFC case fold (no `ß`, no final sigma, no dotted `İ`), so that the key
//! of the contract can be computed without Unicode tables; a test compares with them.

/// As written, and in ASCII.
pub type Name = (&'static str, &'static str);

/// Given names.
pub const GIVEN: [Name; 32] = [
    ("Anna", "anna"),
    ("Ben", "ben"),
    ("Chloé", "chloe"),
    ("Dmitri", "dmitri"),
    ("Élodie", "elodie"),
    ("Fatima", "fatima"),
    ("George", "george"),
    ("Håkon", "haakon"),
    ("Inés", "ines"),
    ("José", "jose"),
    ("Katarzyna", "katarzyna"),
    ("Łukasz", "lukasz"),
    ("María", "maria"),
    ("Noah", "noah"),
    ("Olga", "olga"),
    ("Priya", "priya"),
    ("Quentin", "quentin"),
    ("René", "rene"),
    ("Søren", "soeren"),
    ("Tomáš", "tomas"),
    ("Uma", "uma"),
    ("Věra", "vera"),
    ("William", "william"),
    ("Xavier", "xavier"),
    ("Yasmin", "yasmin"),
    ("Zoë", "zoe"),
    ("Ольга", "olga"),
    ("Δήμητρα", "dimitra"),
    ("美咲", "misaki"),
    ("伟", "wei"),
    ("지훈", "jihun"),
    ("محمد", "muhammad"),
];

/// Family names.
pub const FAMILY: [Name; 32] = [
    ("Andersson", "andersson"),
    ("Brown", "brown"),
    ("Çelik", "celik"),
    ("Dvořák", "dvorak"),
    ("Eriksen", "eriksen"),
    ("Fernández", "fernandez"),
    ("García", "garcia"),
    ("Hoffmann", "hoffmann"),
    ("Ibrahim", "ibrahim"),
    ("Jones", "jones"),
    ("Kowalski", "kowalski"),
    ("Lefèvre", "lefevre"),
    ("Müller", "mueller"),
    ("Nguyễn", "nguyen"),
    ("O'Connor", "oconnor"),
    ("Petrov", "petrov"),
    ("Quispe", "quispe"),
    ("Rossi", "rossi"),
    ("Sørensen", "soerensen"),
    ("Taylor", "taylor"),
    ("Usman", "usman"),
    ("van der Berg", "vanderberg"),
    ("Wójcik", "wojcik"),
    ("Xu", "xu"),
    ("Yılmaz", "yilmaz"),
    ("Žižek", "zizek"),
    ("Иванова", "ivanova"),
    ("Παππά", "pappa"),
    ("田中", "tanaka"),
    ("王", "wang"),
    ("김", "kim"),
    ("حسن", "hassan"),
];

/// Departments; groups are named after them.
pub const DEPARTMENTS: [&str; 12] = [
    "Biostatistics",
    "Data Science",
    "Développement",
    "Finance",
    "Genomics",
    "IT Operations",
    "Legal",
    "Marketing",
    "Quality",
    "Research",
    "Supply Chain",
    "臨床開発",
];

/// What people are called by their employer.
pub const TITLES: [&str; 6] = [
    "Analyst",
    "Engineer",
    "Manager",
    "Principal Scientist",
    "Scientist",
    "Statistician",
];

#[cfg(test)]
mod tests {
    use icu_casemap::CaseMapper;
    use icu_normalizer::ComposingNormalizerBorrowed;

    use super::*;

    #[test]
    fn lower_case_is_the_nfc_case_fold_of_every_name() {
        let nfc = ComposingNormalizerBorrowed::new_nfc();
        let names = GIVEN.iter().chain(&FAMILY).flat_map(|(name, ascii)| [*name, *ascii]);
        for text in names.chain(DEPARTMENTS).chain(TITLES) {
            let folded = CaseMapper::new().fold_string(&nfc.normalize(text)).into_owned();
            assert_eq!(text.to_lowercase(), nfc.normalize(&folded), "{text}");
        }
    }

    #[test]
    fn ascii_spellings_are_legal_in_user_names() {
        for (_, ascii) in GIVEN.iter().chain(&FAMILY) {
            assert!(ascii.bytes().all(|byte| byte.is_ascii_lowercase()), "{ascii}");
        }
    }
}
