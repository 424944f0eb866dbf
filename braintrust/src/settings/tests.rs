use codex_tracing_redact::Images;

use super::*;

fn target(change: impl FnOnce(&mut BraintrustSettings)) -> Target {
    let mut settings = BraintrustSettings::default();
    change(&mut settings);
    let (redactor, _) = Redactor::new(true, &[], None, Images::Keep);
    Target::new(&settings, redactor, "1")
}

#[test]
fn a_destination_is_endpoint_organisation_and_project_but_not_the_key() {
    let plain = target(|_| {}).destination();
    let keyed = target(|s| s.api_key = Some(SecretString::from("k"))).destination();
    assert_eq!(plain.id, keyed.id);
    assert!(!plain.has_key && keyed.has_key);
    assert_eq!(plain.label, "www.braintrust.dev · codex");
    let others = [
        target(|s| s.project = "p".to_owned()),
        target(|s| s.org_name = Some("o".to_owned())),
        target(|s| s.api_url = Some("https://api-eu.braintrust.dev".to_owned())),
    ];
    for other in others {
        assert_ne!(other.destination().id, plain.id);
    }
}

#[test]
fn urls_and_keys_are_taken_as_people_write_them() {
    let check = |given: &str, expected: Option<&str>| {
        let found = target(|s| s.api_url = Some(given.to_owned())).api_url;
        assert_eq!(found.as_deref(), expected, "{given}");
    };
    check("https://a.example/", Some("https://a.example"));
    check(" https://a.example/api// ", Some("https://a.example/api"));
    check("api.braintrust.dev", Some("https://api.braintrust.dev"));
    check("http://127.0.0.1:8000", Some("http://127.0.0.1:8000"));
    check(" ", None);
    let blank = target(|s| s.api_key = Some(SecretString::from(" \n")));
    assert!(blank.authorization.is_none());
}

#[test]
fn only_the_hosted_product_has_a_default_data_plane() {
    let hosted = target(|_| {}).default_api_url();
    assert_eq!(hosted.as_deref(), Some("https://api.braintrust.dev"));
    let own = target(|s| s.app_url = "https://bt.example".to_owned());
    assert_eq!(own.default_api_url(), None);
}
