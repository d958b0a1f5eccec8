/// The pointers of all points of a message as one tree, so that a payload is walked once, whatever the number of
/// points.
///
/// Flat arrays without references: walking retains nothing.
struct PointerTree: Sendable {
    private struct Node {
        /// Of the token's bytes, as ``BoundedJSON`` keeps it with each key.
        var hash: UInt32
        /// The token's bytes in ``names``.
        var name: Range<Int>
        /// The token as an array index; -1 when it is none.
        var element: Int
        /// -1 at the end of each chain.
        var firstChild = -1
        var nextSibling = -1
        var firstSlot = -1
    }

    /// The value is not in the payload.
    static let absent = -1

    private var nodes: [Node]
    private var names: [UInt8] = []
    /// For each slot the next one with the same pointer, or -1.
    private var nextSlot: [Int]

    /// Slot i stands for `pointers[i]`.
    init(_ pointers: [JSONPointer]) {
        self.nodes = [Node(hash: 0, name: 0..<0, element: -1)]
        self.nextSlot = Array(repeating: -1, count: pointers.count)
        for (slot, pointer) in pointers.enumerated() {
            var node = 0
            for depth in pointer.tokens.indices { node = self.child(of: node, pointer, depth) }
            self.nextSlot[slot] = self.nodes[node].firstSlot
            self.nodes[node].firstSlot = slot
        }
    }

    private mutating func child(of parent: Int, _ pointer: JSONPointer, _ depth: Int) -> Int {
        var last = -1
        var node = self.nodes[parent].firstChild
        while node >= 0 {
            if self.names[self.nodes[node].name].elementsEqual(pointer.tokenBytes[depth]) { return node }
            last = node
            node = self.nodes[node].nextSibling
        }
        let token = pointer.tokens[depth]
        let element = Int(token).flatMap { $0 >= 0 && String($0) == token ? $0 : nil } ?? -1
        let start = self.names.count
        self.names.append(contentsOf: pointer.tokenBytes[depth])
        let made = self.nodes.count
        self.nodes.append(Node(hash: pointer.tokenHashes[depth], name: start..<self.names.count, element: element))
        // In the order of the profile, which is usually the order of the payload.
        if last < 0 { self.nodes[parent].firstChild = made } else { self.nodes[last].nextSibling = made }
        return made
    }

    /// Finds the value of every slot.
    ///
    /// - Parameters:
    ///   - root: The token to start from, the whole document by default.
    ///   - slots: Becomes one index into the tokens of `json` for each slot, ``absent`` where there is none.
    func locate(
        in json: borrowing BoundedJSON,
        _ bytes: UnsafeBufferPointer<UInt8>,
        root: Int = 0,
        slots: inout [Int]
    ) {
        slots.removeAll(keepingCapacity: true)
        for _ in self.nextSlot.indices { slots.append(Self.absent) }
        json.tokens.withUnsafeBufferPointer { tokens in
            self.nodes.withUnsafeBufferPointer { nodes in
                self.names.withUnsafeBufferPointer { names in
                    self.nextSlot.withUnsafeBufferPointer { nextSlot in
                        slots.withUnsafeMutableBufferPointer { slots in
                            Walk(
                                tokens: tokens,
                                bytes: bytes,
                                nodes: nodes,
                                names: names,
                                nextSlot: nextSlot,
                                slots: slots
                            )
                            .visit(node: 0, token: root)
                        }
                    }
                }
            }
        }
    }

    /// One walk over one payload; its buffers live as long as the call.
    private struct Walk {
        let tokens: UnsafeBufferPointer<BoundedJSON.Token>
        let bytes: UnsafeBufferPointer<UInt8>
        let nodes: UnsafeBufferPointer<Node>
        let names: UnsafeBufferPointer<UInt8>
        let nextSlot: UnsafeBufferPointer<Int>
        let slots: UnsafeMutableBufferPointer<Int>

        /// As deep as the deepest pointer, which has 16 tokens at most.
        func visit(node: Int, token: Int) {
            guard token < self.tokens.count else { return }
            var slot = self.nodes[node].firstSlot
            while slot >= 0 {
                self.slots[slot] = token
                slot = self.nextSlot[slot]
            }
            let first = self.nodes[node].firstChild
            guard first >= 0 else { return }
            switch self.tokens[token].kind {
            case .object: self.members(of: token, first: first)
            case .array: self.elements(of: token, first: first)
            default: return
            }
        }

        private func members(of object: Int, first: Int) {
            let end = Int(self.tokens[object].next)
            var expected = first
            var key = object + 1
            while key + 1 < end {
                if let child = self.child(named: key, expected: expected, first: first) {
                    self.visit(node: child, token: key + 1)
                    expected = self.nodes[child].nextSibling >= 0 ? self.nodes[child].nextSibling : first
                }
                key = Int(self.tokens[key + 1].next)
            }
        }

        private func child(named key: Int, expected: Int, first: Int) -> Int? {
            var node = expected
            repeat {
                if self.nodes[node].hash == self.tokens[key].hash, self.isKey(key, named: self.nodes[node].name) {
                    return node
                }
                node = self.nodes[node].nextSibling >= 0 ? self.nodes[node].nextSibling : first
            } while node != expected
            return nil
        }

        private func isKey(_ key: Int, named name: Range<Int>) -> Bool {
            let start = Int(self.tokens[key].start)
            let end = Int(self.tokens[key].end)
            if end - start == name.count {
                for offset in 0..<name.count where self.bytes[start + offset] != self.names[name.lowerBound + offset] {
                    return false
                }
                return true
            }
            guard let text = BoundedJSON.unescaped(self.bytes, start, end) else { return false }
            return text.utf8.elementsEqual(self.names[name])
        }

        private func elements(of array: Int, first: Int) {
            let end = Int(self.tokens[array].next)
            var node = first
            while node >= 0 {
                let index = self.nodes[node].element
                var element = array + 1
                var passed = 0
                while passed < index, element < end {
                    element = Int(self.tokens[element].next)
                    passed += 1
                }
                if index >= 0, element < end { self.visit(node: node, token: element) }
                node = self.nodes[node].nextSibling
            }
        }
    }
}
