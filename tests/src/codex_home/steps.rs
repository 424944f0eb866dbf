//! Running a scenario's steps.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::{CodexHome, Output};
use crate::model_server::ModelServer;
use crate::scenario::{Scenario, Step};

impl CodexHome {
    /// Runs every step of the scenario in order; what each process left behind. A step for the
    /// terminal interface leaves an empty output.
    pub fn run_scenario(
        &self,
        scenario: &Scenario,
        model: &ModelServer,
        env: &[(&str, &str)],
    ) -> anyhow::Result<Vec<Output>> {
        let steps = scenario.run.iter().enumerate();
        steps
            .map(|(position, step)| {
                self.step(step, model, env)
                    .with_context(|| format!("step {position} of the scenario"))
            })
            .collect()
    }

    fn step(
        &self,
        step: &Step,
        model: &ModelServer,
        env: &[(&str, &str)],
    ) -> anyhow::Result<Output> {
        if let Some(keys) = &step.tui {
            let started = Instant::now();
            let screen = self.tui(keys, env)?;
            return Ok(Output {
                code: None,
                stdout: screen,
                stderr: String::new(),
                took: started.elapsed(),
            });
        }
        let session = self.first_session().unwrap_or_default();
        let filled = |list: &[String]| -> Vec<String> {
            list.iter()
                .map(|text| text.replace("{SESSION}", &session))
                .collect()
        };
        let (exec, arguments) = match (&step.exec, &step.resume, &step.args) {
            (Some(list), _, _) => (true, list.clone()),
            (_, Some(list), _) => {
                let resume = ["resume".to_owned(), session.clone()];
                (
                    true,
                    resume.into_iter().chain(list.iter().cloned()).collect(),
                )
            }
            (_, _, Some(list)) => match filled(list).split_first() {
                Some((first, rest)) if first == "exec" => (true, rest.to_vec()),
                _ => (false, filled(list)),
            },
            _ => bail!("it is none of exec, resume, args, tui"),
        };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let asked = model.responses_asked();
        let mut running = if exec {
            self.spawn_exec(&arguments, env)?
        } else {
            self.spawn(&arguments, env)?
        };
        if let Some(after) = step.sigint_after {
            let until = Instant::now() + Duration::from_mins(5);
            let is_due = || {
                let told = step.until.as_ref();
                model.responses_asked() >= asked + after
                    && told.is_none_or(|text| self.has_recorded(text))
            };
            while !is_due() && !running.has_ended() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(20));
            }
            std::thread::sleep(Duration::from_secs_f64(step.delay.unwrap_or(1.0)));
            if !running.has_ended() {
                running.signal(step.signal.as_deref().unwrap_or("SIGINT"))?;
            }
        }
        running.wait(Duration::from_secs_f64(step.timeout.unwrap_or(240.0)))
    }

    /// Whether a rollout holds this text.
    fn has_recorded(&self, text: &str) -> bool {
        let rollouts = self.rollouts();
        let mut texts = rollouts
            .iter()
            .filter_map(|file| std::fs::read_to_string(file).ok());
        texts.any(|rollout| rollout.contains(text))
    }
}
