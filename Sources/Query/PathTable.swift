import PDDocument

/// A dotted path.
struct Path: Sendable {
    struct Step: Sendable {
        let name: [UInt8]
        /// Whether the name may also be the index of a list element.
        let isIndex: Bool
    }

    let steps: [Step]

    init(_ text: String) {
        steps = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { name in
            Step(
                name: Array(name),
                isIndex: !name.isEmpty
                    && name.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        }
    }
}

/// The paths of one or many queries, joined where they begin alike, so that one pass over a document finds the values
/// of all of them.
struct PathTable: Sendable {
    /// A name that paths share up to there.
    private struct Node {
        let nameStart: Int
        let nameCount: Int
        /// How many names lead here.
        let depth: Int
        var firstChild: Int
        let nextSibling: Int
    }

    /// What lies at a path, as far as it can be followed without choosing among the elements of a list.
    struct Slot {
        var isFound = false
        /// The value at the path's end, or the list in which the path goes on, or nothing.
        var element = Element.missing
        /// How many of the path's names lead to the element.
        var depth = 0
    }

    let paths: [Path]
    /// The node where each path ends.
    private let ends: [Int]
    private let nodes: [Node]
    /// The names of all nodes, one behind the other.
    private let names: [UInt8]
    private let firstNode: Int

    init(_ paths: [Path]) {
        self.paths = paths
        var nodes: [Node] = []
        var names: [UInt8] = []
        var first = -1
        var ends: [Int] = []
        for path in paths {
            var parent = -1
            for (depth, step) in path.steps.enumerated() {
                var node = parent < 0 ? first : nodes[parent].firstChild
                while node >= 0,
                    !names[nodes[node].nameStart...].prefix(nodes[node].nameCount).elementsEqual(step.name)
                {
                    node = nodes[node].nextSibling
                }
                if node < 0 {
                    node = nodes.count
                    nodes.append(
                        Node(
                            nameStart: names.count, nameCount: step.name.count, depth: depth + 1,
                            firstChild: -1,
                            nextSibling: parent < 0 ? first : nodes[parent].firstChild))
                    names += step.name
                    if parent < 0 { first = node } else { nodes[parent].firstChild = node }
                }
                parent = node
            }
            ends.append(parent)
        }
        (self.ends, self.nodes, self.names, firstNode) = (ends, nodes, names, first)
    }

    /// The values of the paths in one document.
    struct Values {
        fileprivate let table: PathTable
        fileprivate let slots: UnsafeMutableBufferPointer<Slot>

        @inline(__always)
        func slot(_ path: Int) -> Slot { slots[table.ends[path]] }

        func steps(_ path: Int) -> [Path.Step] { table.paths[path].steps }
    }

    /// Finds the values of all paths and lends them. Allocates on the stack where they are few.
    func withValues<R, E: Error>(
        of document: UnsafeRawBufferPointer, _ body: (Values) throws(E) -> R
    ) throws(E) -> R {
        let result: Result<R, E> = withUnsafeTemporaryAllocation(of: Slot.self, capacity: nodes.count) {
            slots in
            slots.initialize(repeating: Slot())
            names.withUnsafeBytes { names in
                find(firstNode, in: document, names, slots)
            }
            do throws(E) {
                return .success(try body(Values(table: self, slots: slots)))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Fills the slots of a node, its siblings and all below them. Recursion is bounded by ``Query/maximumPathSteps``.
    private func find(
        _ first: Int, in document: UnsafeRawBufferPointer, _ names: UnsafeRawBufferPointer,
        _ slots: UnsafeMutableBufferPointer<Slot>
    ) {
        var open = 0
        var node = first
        while node >= 0 {
            open += 1
            node = nodes[node].nextSibling
        }
        var cursor = BSONCursor(document: document)
        while open > 0, cursor.next() {
            let key = cursor.keyBytes
            node = first
            while node >= 0 {
                let name = nodes[node]
                // Of fields with one name the first counts.
                if name.nameCount == key.count, !slots[node].isFound,
                    UnsafeRawBufferPointer(
                        rebasing: names[name.nameStart..<(name.nameStart + name.nameCount)]
                    )
                    .isSame(as: key)
                {
                    open -= 1
                    slots[node] = Slot(isFound: true, element: cursor.element, depth: name.depth)
                    if cursor.type == BSONType.document {
                        find(name.firstChild, in: cursor.valueBytes, names, slots)
                    } else if cursor.type == BSONType.array {
                        spread(slots[node], to: name.firstChild, slots)
                    }
                    break
                }
                node = name.nextSibling
            }
        }
    }

    /// Gives a list to all paths that go on in it.
    private func spread(_ slot: Slot, to first: Int, _ slots: UnsafeMutableBufferPointer<Slot>) {
        var node = first
        while node >= 0 {
            slots[node] = slot
            spread(slot, to: nodes[node].firstChild, slots)
            node = nodes[node].nextSibling
        }
    }
}
