//! What the JavaScript plugin got wrong, one test each. The numbers are those of the list these
//! were collected in. What concerns files, settings and delivery is tested there:
//!
//! |    | what was wrong | test |
//! |---|---|---|
//! | 2 | a turn counted as sent whatever became of it | `delivery`: `a_destination_that_is_down_keeps_its_cursor_and_gets_everything_later` |
//! | 4 | one torn line, and nothing was sent | `transcript`: `a_torn_line_costs_nothing_but_itself` |
//! | 5 | one odd variable switched all of them off | `config`: `a_bad_value_in_a_variable_leaves_any_file_and_names_the_variable` |
//! | 9 | a repository could redirect traces and keys | `tests`: `nothing_reaches_the_endpoint_of_an_untrusted_repository` |
//! | 10 | the whole history was sent in one hook | `tests`: `turns_from_before_tracing_was_on_are_left_alone` |
//! | 12 | Codex waited for a server that was down | `tests`: `a_turn_runs_without_its_endpoint_and_is_delivered_once_that_is_back` |
//! | 19 | follow-up turns hung below whoever saw them last | `delivery`: `a_later_turn_of_a_subagent_comes_from_the_call_that_asked_for_it` |
//! | 20 | a subagent's own hook made traces of its turns | `delivery`: `hooks_of_a_subagent_make_no_traces_of_their_own` |
//! | 20 | a fork's copied header gave it another's id | `transcript`: `records_copied_from_the_parent_of_a_fork_are_not_counted` |
//! | 23 | two hooks at once doubled a turn | `tests`: `hooks_that_run_at_the_same_moment_start_one_worker_together` |

mod leaks;
mod loss;
mod values;
