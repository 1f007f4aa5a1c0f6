import PDDocument

extension PathTable.Values {
    /// Whether the values fulfil a condition of the query whose own paths begin there among the table's.
    func fulfil(_ condition: Condition<FieldTest>, firstPath: Int) -> Bool {
        condition.holds { leaf in
            let slot = slot(firstPath + leaf.path)
            guard slot.element.type == BSONType.array else { return leaf.test.holds(slot.element) }
            return Walk(steps: steps(firstPath + leaf.path), test: leaf.test).list(slot.element, slot.depth)
        }
    }
}

/// Follows a path through lists until a test holds.
///
/// A path through a list stands for what it leads to in each element that is a document, and, where its next name is
/// a number, in the element of that index. A test holds where it holds for one of them. A path that ends at a list
/// stands for each element and for the list itself
/// (<https://www.mongodb.com/docs/manual/tutorial/query-arrays/>).
///
/// Recursion is bounded by ``Document/maximumDepth``.
private struct Walk {
    let steps: [Path.Step]
    let test: Test

    /// From the document with the step of that index.
    func document(_ bytes: UnsafeRawBufferPointer, _ first: Int) -> Bool {
        var bytes = bytes
        var index = first
        while true {
            let element = Self.field(steps[index].name, of: bytes)
            index += 1
            if element.type == BSONType.array { return list(element, index) }
            if index == steps.count { return test.holds(element) }
            guard element.type == BSONType.document else { return test.holds(.missing) }
            bytes = element.bytes
        }
    }

    /// At a list to which the steps before that index lead.
    func list(_ list: Element, _ index: Int) -> Bool {
        guard index == steps.count else { return elements(list, index) }
        if test.looksIntoLists {
            var cursor = BSONCursor(document: list.bytes)
            while cursor.next() {
                if test.holds(cursor.element) { return true }
            }
        }
        return test.holds(list)
    }

    /// Through the elements of a list, with the step of that index.
    private func elements(_ list: Element, _ index: Int) -> Bool {
        let step = steps[index]
        let isLast = index + 1 == steps.count
        var cursor = BSONCursor(document: list.bytes)
        while cursor.next() {
            let element = cursor.element
            let isDocument = element.type == BSONType.document
            if isDocument, document(element.bytes, index) { return true }
            guard step.isIndex, cursor.hasKey(step.name) else { continue }
            if isLast {
                if test.holds(element) { return true }
            } else if isDocument {
                if document(element.bytes, index + 1) { return true }
            } else if element.type == BSONType.array {
                if elements(element, index + 1) { return true }
            }
        }
        return false
    }

    private static func field(_ name: [UInt8], of document: UnsafeRawBufferPointer) -> Element {
        var cursor = BSONCursor(document: document)
        while cursor.next() {
            if cursor.hasKey(name) { return cursor.element }
        }
        return .missing
    }
}

extension Test {
    /// Whether the test holds for this one value.
    func holds(_ element: Element) -> Bool {
        switch self {
        case .compare(let comparison, let literal):
            return literal.withElement { element.holds(comparison, $0) }
        case .isIn(let literals, let patterns):
            return literals.contains { $0.withElement { element.holds(.equal, $0) } }
                || patterns.contains { Test.matches($0).holds(element) }
        case .exists: return !element.isMissing
        case .type(let types): return types.contains(element.type)
        case .matches(let pattern): return element.text.map { pattern.matches($0) } ?? false
        case .size(let size):
            guard element.type == BSONType.array else { return false }
            var cursor = BSONCursor(document: element.bytes)
            var count = 0
            while cursor.next() { count += 1 }
            return count == size
        case .hasDocument(let filter):
            return Self.hasElement(element) {
                // A list is a document whose names are the indices.
                ($0.type == BSONType.document || $0.type == BSONType.array) && filter.matches($0.bytes)
            }
        case .hasElement(let condition):
            return Self.hasElement(element) { inner in condition.holds { $0.holds(inner) } }
        }
    }

    private static func hasElement(_ list: Element, _ body: (Element) -> Bool) -> Bool {
        guard list.type == BSONType.array else { return false }
        var cursor = BSONCursor(document: list.bytes)
        while cursor.next() {
            if body(cursor.element) { return true }
        }
        return false
    }
}

extension BSONCursor {
    fileprivate func hasKey(_ name: [UInt8]) -> Bool {
        name.withUnsafeBytes { keyBytes.isSame(as: $0) }
    }
}
