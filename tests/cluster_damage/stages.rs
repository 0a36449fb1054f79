//! Stages: a cluster is brought to each state of its route once and stopped there; its folder and
//! those of its key servers are kept as they are then.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use harness::WorkingCopy;
use kmip::vocabulary::State as KeyState;
use serde_json::{Value, json};

use crate::contents::Version;
use crate::fixture::{Fixture, NODES, TIMEOUT, current};
use crate::state::{A, B, Location, State, Step};

/// A stopped cluster in a state.
pub(crate) struct Stage {
    pub(crate) state: State,
    pub(crate) copy: Rc<WorkingCopy>,
    /// Folders of the cluster in earlier states.
    pub(crate) older: Vec<Rc<WorkingCopy>>,
    servers: Vec<WorkingCopy>,
    living: Vec<BTreeMap<String, KeyState>>,
}

/// A cluster on its way through its states.
pub(crate) struct Route {
    pub(crate) fixture: Fixture,
    older: Vec<Rc<WorkingCopy>>,
    last: Option<Rc<Stage>>,
}

impl Route {
    /// A new cluster whose blocks were written twice, and one of whose shares was dealt again.
    pub(crate) fn new(start: State) -> Self {
        let mut route = Self { fixture: Fixture::new(), older: Vec::new(), last: None };
        route.keep();
        let share = route.share_of_node_2();
        std::fs::remove_file(&share).unwrap();
        route.fixture.cluster.restart();
        route
            .fixture
            .cluster
            .until("the share is dealt again", TIMEOUT, |_| share.exists().then_some(()));
        route.fixture.until_unlocked();
        route.fixture.write(Version::Last);
        if start == State::External {
            route.move_key(Location::External(A));
        }
        route
    }

    fn share_of_node_2(&self) -> PathBuf {
        let shares = self.fixture.cluster.data().join("node-2/shares").read_dir().unwrap();
        // Without what a kill has left of one that was being written.
        let mut shares = shares.map(|share| share.unwrap().path());
        shares.find(|path| path.extension().is_some_and(|ending| ending == "json")).unwrap()
    }

    fn move_key(&self, to: Location) {
        if current(&self.fixture.state()).0 != to {
            self.fixture.start_rekey(to);
        }
        self.fixture.until_unlocked();
    }

    /// Stops the cluster, and keeps its folder.
    fn keep(&mut self) -> Rc<WorkingCopy> {
        self.fixture.cluster.kill();
        let data = self.fixture.cluster.data().to_owned();
        let copy = Rc::new(WorkingCopy::new(&data, data.clone()));
        self.older.push(Rc::clone(&copy));
        copy
    }

    /// Brings the cluster, which is stopped, to its next state, and stops it there.
    pub(crate) fn stage(&mut self, state: State) -> Rc<Stage> {
        match state {
            State::Internal | State::External => {}
            State::Rekey(direction, step) => {
                if step == Step::Planned {
                    self.fixture.cluster.restart();
                    self.fixture.until_unlocked();
                    self.move_key(direction.start());
                    self.fixture.stop_rekeys_before("CreateNewMasterKey");
                    self.fixture.start_rekey(direction.end());
                }
                match step.stop_before() {
                    Some(stop) => self.stop_before(stop, step),
                    None => self.stop_between_drives(step),
                }
            }
        }
        let older = self.older.clone();
        let copy = self.keep();
        let servers = &mut self.fixture.servers;
        let copies = servers.iter_mut().map(|server| {
            server.kill();
            let copy = WorkingCopy::new(server.data(), server.data().to_owned());
            server.restart();
            copy
        });
        let servers = copies.collect();
        let living = [A, B].map(|server| self.fixture.living(server)).into();
        let stage = Rc::new(Stage { state, copy, older, servers, living });
        self.last = Some(Rc::clone(&stage));
        stage
    }

    fn stop_before(&mut self, stop: &str, step: Step) {
        if step != Step::Planned {
            let started =
                self.fixture.cluster.try_restart_with(|it| it.arg("--rekey-stop-before").arg(stop));
            assert!(started, "{}", self.fixture.cluster.log());
        }
        self.fixture.cluster.until("the rekey stops", TIMEOUT, |_| {
            let state = self.fixture.state();
            (state["rekey"]["control"]["stoppedBefore"] == json!(stop)).then_some(())
        });
    }

    /// Kills the cluster when the headers of some drives, and not of all, were written.
    fn stop_between_drives(&mut self, step: Step) {
        let last = self.last.clone().unwrap();
        let wrappings = if step == Step::Wrapping { 2 } else { 1 };
        for _ in 0..50 {
            self.restore(&last);
            self.fixture.cluster.restart();
            let begun = Instant::now();
            while self.headers_with(wrappings) == 0 {
                assert!(begun.elapsed() < TIMEOUT, "{}", self.fixture.cluster.log());
                std::thread::yield_now();
            }
            self.fixture.cluster.kill();
            if (1..NODES).contains(&self.headers_with(wrappings)) {
                return;
            }
        }
        panic!("the cluster is never killed between two drives");
    }

    /// How many headers have so many wrappings.
    fn headers_with(&self, wrappings: usize) -> usize {
        let data = self.fixture.cluster.data();
        let header = |drive: &usize| data.join(format!("node-{drive}/drive-{drive}/drive.json"));
        (1..=NODES).filter(|drive| has_wrappings(&header(drive), wrappings)).count()
    }

    /// Everything as it was before a case.
    pub(crate) fn restore(&mut self, stage: &Stage) {
        self.fixture.cluster.kill();
        stage.copy.restore();
        for (index, copy) in stage.servers.iter().enumerate() {
            if self.fixture.living(index + 1) != stage.living[index] {
                let server = &mut self.fixture.servers[index];
                server.kill();
                copy.restore();
                server.restart();
            }
        }
    }
}

fn has_wrappings(header: &std::path::Path, wrappings: usize) -> bool {
    let header: Value = serde_json::from_slice(&std::fs::read(header).unwrap()).unwrap();
    header["wrappedDataEncryptionKeys"].as_object().unwrap().len() == wrappings
}
