//! Which layer's key may go to which layer's endpoint.

use codex_tracing_config::{Layer, Loaded, Problem, Product, Severity};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::scene::Scene;

const OWN: [Layer; 3] = [Layer::Team, Layer::User, Layer::Environment];

/// The key that goes to the effective endpoint, with a key in one layer and an endpoint in
/// another (or the same), in a trusted project.
fn sent(key_in: Layer, endpoint_in: Layer, endpoint: &str) -> Option<String> {
    let mut scene = Scene::new();
    scene.trust_repo();
    for layer in [Layer::Team, Layer::User, Layer::Project] {
        let mut file = serde_json::Map::new();
        if layer == key_in {
            file.insert("api_key".to_owned(), json!("k"));
        }
        if layer == endpoint_in {
            file.insert("api_url".to_owned(), json!(endpoint));
        }
        scene.settings(Product::LangSmith, layer, &file.into());
    }
    if key_in == Layer::Environment {
        scene.var("LANGSMITH_API_KEY", "k");
    }
    if endpoint_in == Layer::Environment {
        scene.var("LANGSMITH_ENDPOINT", endpoint);
    }
    let settings = scene.langsmith().settings;
    assert_eq!(settings.api_url, endpoint);
    settings.api_key.map(|key| key.expose_secret().to_owned())
}

#[test]
fn a_key_goes_to_endpoints_of_layers_trusted_as_much_as_its_own() {
    for key_in in OWN {
        for endpoint_in in OWN {
            let found = sent(key_in, endpoint_in, "https://x.example");
            assert_eq!(found.as_deref(), Some("k"), "{key_in} to {endpoint_in}");
        }
        let found = sent(key_in, Layer::Project, "https://x.example");
        assert_eq!(found, None, "{key_in} to the project's");
        let found = sent(
            key_in,
            Layer::Project,
            "https://api.smith.langchain.com/other/path",
        );
        assert_eq!(found.as_deref(), Some("k"), "{key_in} to its own host");
        let found = sent(key_in, Layer::Project, "http://api.smith.langchain.com");
        assert_eq!(found, None, "{key_in} to its own host without encryption");
        let found = sent(Layer::Project, key_in, "https://x.example");
        assert_eq!(found.as_deref(), Some("k"), "the project's to {key_in}'s");
    }
    let found = sent(Layer::Project, Layer::Project, "https://x.example");
    assert_eq!(found.as_deref(), Some("k"));
}

#[test]
fn own_host_means_the_one_in_force_without_the_project() {
    let mut scene = Scene::new();
    scene.trust_repo();
    scene.var("LANGSMITH_API_KEY", "k");
    scene.settings(
        Product::LangSmith,
        Layer::User,
        &json!({"api_url": "https://mine.example"}),
    );
    let project = json!({"api_url": "https://api.smith.langchain.com"});
    scene.settings(Product::LangSmith, Layer::Project, &project);
    // Built in, but not where this user's key belongs.
    assert!(scene.langsmith().settings.api_key.is_none());
}

#[test]
fn a_projects_reference_to_a_variable_is_the_users_key() {
    for (endpoint, expected) in [
        (None, Some("k")),
        (Some("https://x.example"), None),
        (Some("https://api.smith.langchain.com"), Some("k")),
    ] {
        let mut scene = Scene::new();
        scene.trust_repo();
        scene.var("SOME_KEY", "k");
        let mut project = json!({"api_key": "${SOME_KEY}"});
        if let Some(endpoint) = endpoint {
            project["api_url"] = json!(endpoint);
        }
        scene.settings(Product::LangSmith, Layer::Project, &project);
        let key = scene.langsmith().settings.api_key;
        assert_eq!(
            key.as_ref().map(ExposeSecret::expose_secret),
            expected,
            "{endpoint:?}"
        );
    }
}

#[test]
fn a_key_that_may_not_go_gives_way_to_one_that_may() {
    let mut scene = Scene::new();
    scene.trust_repo();
    scene.var("LANGSMITH_API_KEY", "mine");
    let project = json!({"api_url": "https://x.example", "api_key": "projects"});
    scene.settings(Product::LangSmith, Layer::Project, &project);
    let loaded = scene.langsmith();
    assert_eq!(loaded.settings.api_key.unwrap().expose_secret(), "projects");
    let row = loaded.provenance.row("api_key").unwrap();
    assert_eq!(row.origin.layer, Layer::Project);
    assert_eq!(row.dropped[0].origin.to_string(), "LANGSMITH_API_KEY");
}

#[test]
fn replicas_take_the_settings_key_only_where_it_may_go() {
    let mut scene = Scene::new();
    scene.trust_repo();
    scene.var("LANGSMITH_API_KEY", "mine");
    let project = json!({"api_url": "https://theirs.example"});
    scene.settings(Product::LangSmith, Layer::Project, &project);
    let replicas = r#"[{"api_url": "https://other.example"}, {"project": "p"}, {"api_key": "r"}]"#;
    scene.var("LANGSMITH_RUNS_ENDPOINTS", replicas);
    let loaded = scene.langsmith();
    let found: Vec<_> = loaded
        .settings
        .replicas
        .iter()
        .map(|replica| {
            let key = replica.api_key.as_ref().map(ExposeSecret::expose_secret);
            (replica.api_url.as_str(), key)
        })
        .collect();
    assert_eq!(
        found,
        [
            // The user's own list at the user's own choice of host.
            ("https://other.example", Some("mine")),
            // Without a URL of its own a replica is at the settings' endpoint: the project's.
            ("https://theirs.example", None),
            ("https://theirs.example", None),
        ]
    );
    let told = scene.told(&loaded);
    for path in [
        "replicas[1]: the key is not sent",
        "replicas[2].api_key: the key is not sent",
    ] {
        assert!(
            told.iter().any(|told| told.contains(path)),
            "{path}: {told:#?}"
        );
    }
}

#[test]
fn a_key_of_the_other_product_is_not_used() {
    let mut scene = Scene::new();
    scene.write(
        "shared.json",
        r#"{"api_key": "lsv2_pt_0123456789", "project": "both", "replicas": []}"#,
    );
    scene.var(
        "CODEX_TRACING_TEAM_CONFIG",
        scene.path("shared.json").display().to_string(),
    );
    assert!(scene.langsmith().settings.api_key.is_some());
    let loaded = scene.braintrust();
    assert!(loaded.settings.api_key.is_none());
    assert_eq!(loaded.settings.project, "both");
    let told = scene.told(&loaded);
    assert!(
        told[0].ends_with("replicas: is a setting of another product"),
        "{told:?}"
    );
    assert!(told[1].contains("key of another product"), "{told:?}");
    let kept = Scene::new();
    kept.settings(
        Product::LangSmith,
        Layer::User,
        &json!({"api_key": "bt-st-0123456789"}),
    );
    assert!(kept.langsmith().settings.api_key.is_none());
}

#[test]
fn a_file_named_after_one_product_is_not_read_for_the_other() {
    let mut scene = Scene::new();
    let path = scene.write("shared/langsmith.json", r#"{"project": "x"}"#);
    for named in [path.as_path(), path.parent().unwrap()] {
        scene.var("CODEX_TRACING_TEAM_CONFIG", named.display().to_string());
        assert_eq!(scene.langsmith().settings.project, "x");
        assert_eq!(scene.braintrust().settings.project, "codex");
    }
}

/// Every effective address that is told to be plain HTTP, with its severity.
fn exposed<T>(scene: &Scene, loaded: &Loaded<T>) -> Vec<String> {
    let warnings = loaded.warnings.iter();
    let exposed: Vec<_> = warnings
        .filter(|warning| warning.problem == Problem::Unencrypted)
        .collect();
    assert!(exposed.iter().all(|it| it.severity() == Severity::Warning));
    let told = scene.told(loaded).into_iter();
    let told = told.filter(|told| told.contains("travel unencrypted; use https"));
    told.map(|told| told.split(": is plain").next().unwrap().to_owned())
        .collect()
}

#[test]
fn plain_http_to_another_machine_is_warned_of_where_something_goes_there() {
    let user = "<scene>/home/.codex/langsmith.json: ";
    let replica = |url: &str| json!({"api_url": url, "api_key": "k"});
    for (settings, variable, told) in [
        (
            json!({"api_url": "http://tracing.internal"}),
            None,
            &["api_url"][..],
        ),
        (
            json!({"api_url": "http://192.0.2.1:1984"}),
            None,
            &["api_url"],
        ),
        (json!({"api_url": "https://tracing.internal"}), None, &[]),
        (json!({"api_url": "http://localhost:1984"}), None, &[]),
        (json!({"api_url": "http://127.0.0.1:1984"}), None, &[]),
        (json!({"api_url": "http://[::1]:1984"}), None, &[]),
        // Hidden by a higher layer, or by replicas.
        (
            json!({"api_url": "http://tracing.internal"}),
            Some("https://a.example"),
            &[],
        ),
        (
            json!({"api_url": "http://tracing.internal", "replicas": [replica("https://a.example")]}),
            None,
            &[],
        ),
        (
            json!({"api_url": "http://tracing.internal", "replicas": [{"project": "p"}]}),
            None,
            &["api_url"],
        ),
        (
            json!({"replicas": [replica("http://localhost"), replica("http://b.internal")]}),
            None,
            &["replicas[1].api_url"],
        ),
        (
            json!({"replicas": {"http://b.internal": "k"}}),
            None,
            &["replicas[0].api_url"],
        ),
    ] {
        let mut scene = Scene::new();
        scene.settings(Product::LangSmith, Layer::User, &settings);
        if let Some(url) = variable {
            scene.var("LANGSMITH_ENDPOINT", url);
        }
        let expected: Vec<_> = told.iter().map(|key| format!("{user}{key}")).collect();
        assert_eq!(exposed(&scene, &scene.langsmith()), expected, "{settings}");
    }
    let mut scene = Scene::new();
    scene.var("BRAINTRUST_API_URL", "http://api.internal");
    scene.var("BRAINTRUST_APP_URL", "http://app.internal");
    let expected = ["BRAINTRUST_APP_URL", "BRAINTRUST_API_URL"];
    assert_eq!(exposed(&scene, &scene.braintrust()), expected);
}
