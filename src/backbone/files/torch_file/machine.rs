//! The machine that reads a pickle's instructions and runs none of the code they name.
//!
//! Owns the instruction set of protocols 2 to 5 as far as torch.save writes it. Memory is bounded by the pickle's
//! length: each instruction adds at most one value. candle's reader is not used because it copies a remembered
//! value at each use (a hundred bytes can ask for terabytes) and panics on a short argument list.
//!
//! Long because it is every instruction of the machine in one table.

use std::collections::BTreeMap;

use super::pickle::{Node, NodeId, Pickle, PickleError};

/// Reads a pickle of protocol 2 to 5.
///
/// # Errors
/// [`PickleError`] with the position: an unknown instruction, a length beyond the end, a stack that runs empty.
pub fn unpickle(bytes: &[u8]) -> Result<Pickle, PickleError> {
    unpickle_first(bytes).map(|(pickle, _)| pickle)
}

/// The first of several pickles that lie one after the other, and its length in bytes.
///
/// # Errors
/// As [`unpickle`].
pub fn unpickle_first(bytes: &[u8]) -> Result<(Pickle, usize), PickleError> {
    let mut machine = Machine {
        bytes,
        at: 0,
        nodes: Vec::new(),
        stack: Vec::new(),
        memo: BTreeMap::new(),
        states: BTreeMap::new(),
    };
    loop {
        let offset = machine.at;
        match machine.step() {
            Ok(None) => {}
            Ok(Some(root)) => {
                return Ok((Pickle { nodes: machine.nodes, root, states: machine.states }, machine.at));
            }
            Err(problem) => return Err(PickleError { offset, problem }),
        }
    }
}

/// What lies on the machine's stack.
#[derive(Clone, Copy)]
enum Slot {
    Mark,
    Value(NodeId),
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Slot>,
    memo: BTreeMap<u64, NodeId>,
    states: BTreeMap<NodeId, NodeId>,
}

impl<'a> Machine<'a> {
    /// One instruction; the root at the last one. Letters and numbers are those of CPython's `pickletools`.
    fn step(&mut self) -> Result<Option<NodeId>, String> {
        let instruction = self.number(1)? as u8;
        match instruction {
            b'.' => return self.pop().map(Some),
            0x80 => _ = self.take(1)?,
            0x95 => _ = self.take(8)?,
            b'(' => self.stack.push(Slot::Mark),
            b'0' => _ = self.stack.pop().ok_or("the stack is empty")?,
            b'1' => _ = self.pop_to_mark()?,
            b'2' => self.top().map(|id| self.stack.push(Slot::Value(id)))?,
            b'N' => self.push(Node::Opaque),
            0x88 | 0x89 => self.push(Node::Bool(instruction == 0x88)),
            b'K' => self.int(1)?,
            b'M' => self.int(2)?,
            b'J' => {
                let value = self.number(4)? as u32;
                self.push(Node::Int(i64::from(value.cast_signed())));
            }
            0x8a => self.long()?,
            b'G' => self.skip_value(8)?,
            b'X' => self.text(4)?,
            0x8c => self.text(1)?,
            0x8d => self.text(8)?,
            b'U' | b'C' => self.opaque_bytes(1)?,
            b'T' | b'B' => self.opaque_bytes(4)?,
            0x8e => self.opaque_bytes(8)?,
            b'c' => self.global()?,
            0x93 => self.stack_global()?,
            b'q' => self.remember(1)?,
            b'r' => self.remember(4)?,
            0x94 => self.memoize()?,
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            b')' => self.push(Node::Tuple(Vec::new())),
            0x85..=0x87 => self.short_tuple(usize::from(instruction - 0x84))?,
            b't' => self.collect(Node::Tuple)?,
            b']' | 0x8f => self.push(Node::List(Vec::new())),
            b'l' => self.collect(Node::List)?,
            b'a' => self.append()?,
            b'e' | 0x90 => self.append_many()?,
            b'}' => self.push(Node::Dict(Vec::new())),
            b'd' => self.dict()?,
            b's' => self.set_item()?,
            b'u' => self.set_items()?,
            b'R' | 0x81 => self.call()?,
            b'b' => self.build()?,
            b'Q' => {
                let id = self.pop()?;
                self.push(Node::Persistent(id));
            }
            other => return Err(format!("instruction {other:#04x} is not one that torch.save writes")),
        }
        Ok(None)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..count).ok_or_else(|| format!("{count} bytes wanted, {} left", rest.len()))?;
        self.at += count;
        Ok(taken)
    }

    /// A little-endian number of `width` bytes, at most eight.
    fn number(&mut self, width: usize) -> Result<u64, String> {
        Ok(self.take(width)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn counted(&mut self, width: usize) -> Result<&'a [u8], String> {
        let count = self.number(width)?;
        self.take(usize::try_from(count).map_err(|error| format!("length {count}: {error}"))?)
    }

    fn push(&mut self, node: Node) {
        self.stack.push(Slot::Value(self.nodes.len()));
        self.nodes.push(node);
    }

    fn top(&self) -> Result<NodeId, String> {
        match self.stack.last() {
            Some(Slot::Value(id)) => Ok(*id),
            Some(Slot::Mark) => Err("a mark where a value should be".to_owned()),
            None => Err("the stack is empty".to_owned()),
        }
    }

    fn pop(&mut self) -> Result<NodeId, String> {
        let id = self.top()?;
        self.stack.pop();
        Ok(id)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<NodeId>, String> {
        let mark = self.stack.iter().rposition(|slot| matches!(slot, Slot::Mark)).ok_or("no mark")?;
        let values = self.stack.drain(mark..).filter_map(|slot| match slot {
            Slot::Value(id) => Some(id),
            Slot::Mark => None,
        });
        Ok(values.collect())
    }

    fn int(&mut self, width: usize) -> Result<(), String> {
        let value = self.number(width)?;
        // Two bytes at most: always fits.
        self.push(Node::Int(value.cast_signed()));
        Ok(())
    }

    /// An integer of any length; beyond 64 bits it cannot be a size.
    fn long(&mut self) -> Result<(), String> {
        let bytes = self.counted(1)?;
        let Some(last) = bytes.last().filter(|_| bytes.len() <= 8) else {
            self.push(if bytes.is_empty() { Node::Int(0) } else { Node::Opaque });
            return Ok(());
        };
        let sign = if *last >= 0x80 { u64::MAX } else { 0 };
        let value = bytes.iter().rev().fold(sign, |number, byte| number << 8 | u64::from(*byte));
        self.push(Node::Int(value.cast_signed()));
        Ok(())
    }

    fn skip_value(&mut self, width: usize) -> Result<(), String> {
        self.take(width)?;
        self.push(Node::Opaque);
        Ok(())
    }

    fn opaque_bytes(&mut self, width: usize) -> Result<(), String> {
        self.counted(width)?;
        self.push(Node::Opaque);
        Ok(())
    }

    fn text(&mut self, width: usize) -> Result<(), String> {
        let text = std::str::from_utf8(self.counted(width)?).map_err(|error| error.to_string())?;
        self.push(Node::Text(text.to_owned()));
        Ok(())
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or("a line without an end")?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|error| error.to_string())
    }

    fn global(&mut self) -> Result<(), String> {
        let (module, name) = (self.line()?, self.line()?);
        self.push(Node::Global(format!("{module}.{name}")));
        Ok(())
    }

    fn stack_global(&mut self) -> Result<(), String> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (&self.nodes[module], &self.nodes[name]) {
            (Node::Text(module), Node::Text(name)) => {
                let global = Node::Global(format!("{module}.{name}"));
                self.push(global);
                Ok(())
            }
            _ => Err("a class name that is not text".to_owned()),
        }
    }

    fn remember(&mut self, width: usize) -> Result<(), String> {
        let slot = self.number(width)?;
        self.memo.insert(slot, self.top()?);
        Ok(())
    }

    fn memoize(&mut self) -> Result<(), String> {
        self.memo.insert(self.memo.len() as u64, self.top()?);
        Ok(())
    }

    fn recall(&mut self, width: usize) -> Result<(), String> {
        let slot = self.number(width)?;
        let id = self.memo.get(&slot).ok_or_else(|| format!("nothing was stored as {slot}"))?;
        self.stack.push(Slot::Value(*id));
        Ok(())
    }

    fn short_tuple(&mut self, count: usize) -> Result<(), String> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        self.push(Node::Tuple(items));
        Ok(())
    }

    fn collect(&mut self, node: impl FnOnce(Vec<NodeId>) -> Node) -> Result<(), String> {
        let items = self.pop_to_mark()?;
        self.push(node(items));
        Ok(())
    }

    fn append(&mut self) -> Result<(), String> {
        let item = self.pop()?;
        self.extend_list(&[item])
    }

    fn append_many(&mut self) -> Result<(), String> {
        let items = self.pop_to_mark()?;
        self.extend_list(&items)
    }

    /// Appends to the list on top; to an object of another class it makes no difference here.
    fn extend_list(&mut self, items: &[NodeId]) -> Result<(), String> {
        let target = self.top()?;
        match &mut self.nodes[target] {
            Node::List(list) => list.extend(items),
            Node::Call(..) => {}
            _ => return Err("items are appended to something that is not a list".to_owned()),
        }
        Ok(())
    }

    fn dict(&mut self) -> Result<(), String> {
        let items = self.pop_to_mark()?;
        self.push(Node::Dict(Vec::new()));
        self.extend_dict(&items)
    }

    fn set_item(&mut self) -> Result<(), String> {
        let (value, key) = (self.pop()?, self.pop()?);
        self.extend_dict(&[key, value])
    }

    fn set_items(&mut self) -> Result<(), String> {
        let items = self.pop_to_mark()?;
        self.extend_dict(&items)
    }

    /// Adds key, value, key, value … to the dictionary on top; to another object it makes no difference here.
    fn extend_dict(&mut self, items: &[NodeId]) -> Result<(), String> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("a key without a value".to_owned());
        }
        let target = self.top()?;
        match &mut self.nodes[target] {
            Node::Dict(entries) => entries.extend(pairs.iter().map(|[key, value]| (*key, *value))),
            Node::Call(..) => {}
            _ => return Err("entries are added to something that is not a dictionary".to_owned()),
        }
        Ok(())
    }

    /// Writes down what an object is given: the attributes of a TorchScript module.
    fn build(&mut self) -> Result<(), String> {
        let state = self.pop()?;
        self.states.insert(self.top()?, state);
        Ok(())
    }

    /// Writes a call down. The standard dictionary classes are created empty and filled afterwards.
    fn call(&mut self) -> Result<(), String> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let is_dict = matches!(&self.nodes[callable], Node::Global(name)
            if name == "collections.OrderedDict" || name == "collections.defaultdict");
        self.push(if is_dict { Node::Dict(Vec::new()) } else { Node::Call(callable, arguments) });
        Ok(())
    }
}
