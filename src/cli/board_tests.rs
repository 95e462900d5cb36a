use super::*;
use crate::data::Classes;
use crate::train::StepDone;

/// Two trainings of a cheap method, one of a method a hundred times as dear, tests of three cells.
fn work() -> Workload {
    let mut work = Workload::default();
    work.add_training("dtd", 0, Some(16), 10.0);
    work.add_training("eurosat", 0, Some(16), 10.0);
    work.add_training("dtd", 1, Some(16), 1000.0);
    work.add_tests("dtd", Classes::Base, 3, 30.0);
    work
}

fn planned() -> Event {
    Event::Planned { trainings: 3, cells: 3, skipped: 0, work: work() }
}

fn step(dataset: &str, method: usize, done: usize, of: usize) -> Event {
    let method_id = ["coop", "rpo"][method];
    let step = StepDone {
        epoch: 1,
        epochs: 1,
        step: done,
        steps: of,
        done,
        of,
        loss: Some(0.5),
        trainings: 1,
        images: 4,
    };
    Event::Step(StepNews {
        dataset: dataset.to_owned(),
        method_id,
        shots: Some(16),
        trainings: vec![(method, 1)],
        step,
    })
}

fn over(dataset: &str, method: usize) -> Event {
    Event::TrainingDone { dataset: dataset.to_owned(), method, shots: Some(16) }
}

fn tested(done: u64) -> Event {
    Event::Tested(PassNews { dataset: "dtd".to_owned(), classes: Classes::Base, cells: 3, done, of: 30 })
}

#[test]
fn time_left_is_that_of_the_work_and_not_of_the_cells() {
    let mut board = Board::new(1);
    board.hear(0, 0.0, &planned());
    assert_eq!(board.seconds_left(), None, "nothing was timed yet");
    assert!(board.line(0.0).contains("time left not known yet"), "{}", board.line(0.0));
    for done in 1..=10 {
        board.hear(0, done as f64, &step("dtd", 0, done, 10));
    }
    board.hear(0, 10.0, &over("dtd", 0));
    // One second a unit: 10 + 1000 + 30 units are left, though two of three trainings are.
    assert!((board.seconds_left().unwrap() - 1040.0).abs() < 1e-9, "{:?}", board.seconds_left());
    assert!(board.share() < 0.01, "{}", board.share());
    // The dear method turns out ten times as fast a unit: what is known of one is not said of another.
    for done in 1..=10 {
        board.hear(0, 10.0 + 10.0 * done as f64, &step("dtd", 1, done, 20));
    }
    let left = board.seconds_left().unwrap();
    let mean = (9.0 + 100.0) / (9.0 + 500.0);
    assert!((left - (10.0 + 500.0 * 0.2 + 30.0 * mean)).abs() < 1e-9, "{left}");
    let line = board.line(110.0);
    for word in [
        "0 of 3 cells, 1 of 3 trainings, 0 failed",
        "dtd rpo seed 1: epoch 1 of 1, step 10 of 20, loss 0.500",
    ] {
        assert!(line.contains(word), "{word}: {line}");
    }
}

#[test]
fn lanes_share_what_is_left_and_tests_are_followed() {
    let mut board = Board::new(2);
    board.hear(0, 0.0, &planned());
    board.hear(1, 0.0, &planned());
    for done in [1, 2] {
        board.hear(0, done as f64, &step("dtd", 0, done, 10));
        board.hear(1, done as f64, &step("eurosat", 0, done, 10));
    }
    assert!((board.seconds_left().unwrap() - (8.0 + 8.0 + 1000.0 + 30.0) / 2.0).abs() < 1e-9);
    board.hear(1, 3.0, &tested(15));
    let (_, doing) = board.doings().find(|(who, _)| *who == 1).unwrap();
    assert!(
        doing.tests && doing.at == (15, 30) && doing.words == "dtd: testing base classes, 15 of 30 images"
    );
    assert_eq!(board.speed(), Some((4.0 * 4.0 + 15.0) / 3.0));
}

#[test]
fn what_was_done_before_is_done_and_not_timed() {
    let mut board = Board::new(1);
    board.hear(0, 0.0, &planned());
    board.hear(0, 0.0, &over("eurosat", 0));
    board.hear(0, 5.0, &step("dtd", 0, 6, 10));
    assert_eq!(board.seconds_left(), None, "what came before a lane's first step is not timed");
    board.hear(0, 6.0, &step("dtd", 0, 7, 10));
    // Five steps were taken before; two here, one of them timed: a second.
    assert!(
        (board.seconds_left().unwrap() - (3.0 + 1000.0 + 30.0)).abs() < 1e-9,
        "{:?}",
        board.seconds_left()
    );
}

#[test]
fn the_end_is_the_last_cell() {
    let mut board = Board::new(1);
    board.hear(0, 0.0, &planned());
    for failed in [false, true] {
        board.hear(0, 1.0, &Event::CellDone { failed });
        assert!(board.share() < 1.0);
    }
    board.hear(0, 1.0, &Event::CellDone { failed: false });
    assert_eq!((board.share(), board.seconds_left()), (1.0, Some(0.0)));
    assert!(
        board.line(1.0).starts_with("3 of 3 cells, 0 of 3 trainings, 1 failed; 100 % of the work"),
        "{}",
        board.line(1.0)
    );
}
