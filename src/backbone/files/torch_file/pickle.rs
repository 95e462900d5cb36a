//! What a pickle describes, as plain data.
//!
//! Owns the values; `machine` builds them and `archive` gives them their meaning. A pickle is a program that may
//! call any Python function: here a call is only written down ([`Node::Call`]), never made. The values live in
//! one arena and refer to each other by index, so that a value used a million times is stored once, cycles are
//! harmless, and deep nesting needs no stack.

use std::collections::BTreeMap;

/// Why a pickle could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("at byte {offset}: {problem}")]
pub struct PickleError {
    /// Where in the pickle.
    pub offset: usize,
    /// What is wrong there.
    pub problem: String,
}

/// Index of a value in its [`Pickle`].
pub type NodeId = usize;

/// One value of a pickle.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// None, a float, bytes: whatever tensors do not need.
    Opaque,
    /// True or false.
    Bool(bool),
    /// An integer of at most 64 bits.
    Int(i64),
    /// Text.
    Text(String),
    /// The name of a class or function; never looked up.
    Global(String),
    /// A tuple.
    Tuple(Vec<NodeId>),
    /// A list or set.
    List(Vec<NodeId>),
    /// A dictionary of any class, in insertion order.
    Dict(Vec<(NodeId, NodeId)>),
    /// A call that the pickle asks for and that is not made: what, with which argument tuple.
    Call(NodeId, NodeId),
    /// A reference to a storage outside the pickle.
    Persistent(NodeId),
}

/// A pickle's values.
#[derive(Debug)]
pub struct Pickle {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    /// What BUILD gave to an object that was called into being, by the object.
    pub(super) states: BTreeMap<NodeId, NodeId>,
}

impl Pickle {
    /// The value the pickle describes.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The value at an index handed out by this pickle.
    pub fn node(&self, id: NodeId) -> &Node {
        // Indices come from this arena alone and nodes are never removed.
        &self.nodes[id]
    }

    /// The attributes an object was given after it was made, as `__setstate__` would get them.
    pub fn state(&self, object: NodeId) -> Option<NodeId> {
        self.states.get(&object).copied()
    }

    /// Every value, in the order in which the pickle makes them.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The value of `key` in a dictionary; with repeated keys the last one, as in Python.
    pub fn entry(&self, dict: NodeId, key: &str) -> Option<NodeId> {
        let Node::Dict(entries) = self.node(dict) else { return None };
        let is_key = |id: NodeId| matches!(self.node(id), Node::Text(text) if text == key);
        entries.iter().rev().find(|(name, _)| is_key(*name)).map(|(_, value)| *value)
    }
}
