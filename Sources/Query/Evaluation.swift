import PDDocument

extension PathTable.Values {
    /// Whether the values fulfil a condition of the query whose own paths begin there among the table's.
    func fulfil(_ condition: Condition<FieldTest>, firstPath: Int) throws(PatternError) -> Bool {
        try condition.holds { (leaf) throws(PatternError) in
            let slot = slot(firstPath + leaf.path)
            guard slot.element.type == BSONType.array else { return try leaf.test.holds(slot.element) }
            return try Walk(steps: steps(firstPath + leaf.path), test: leaf.test).list(
                slot.element, slot.depth)
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
    func document(_ bytes: UnsafeRawBufferPointer, _ first: Int) throws(PatternError) -> Bool {
        var bytes = bytes
        var index = first
        while true {
            let element = Self.field(steps[index].name, of: bytes)
            index += 1
            if element.type == BSONType.array { return try list(element, index) }
            if index == steps.count { return try test.holds(element) }
            guard element.type == BSONType.document else { return try test.holds(.missing) }
            bytes = element.bytes
        }
    }

    /// At a list to which the steps before that index lead.
    func list(_ list: Element, _ index: Int) throws(PatternError) -> Bool {
        guard index == steps.count else { return try elements(list, index) }
        if test.looksIntoLists {
            var cursor = BSONCursor(document: list.bytes)
            while cursor.next() {
                if try test.holds(cursor.element) { return true }
            }
        }
        return try test.holds(list)
    }

    /// Through the elements of a list, with the step of that index.
    private func elements(_ list: Element, _ index: Int) throws(PatternError) -> Bool {
        let step = steps[index]
        let isLast = index + 1 == steps.count
        var cursor = BSONCursor(document: list.bytes)
        while cursor.next() {
            let element = cursor.element
            let isDocument = element.type == BSONType.document
            if isDocument, try document(element.bytes, index) { return true }
            guard step.isIndex, cursor.hasKey(step.name) else { continue }
            if isLast {
                if try test.holds(element) { return true }
            } else if isDocument {
                if try document(element.bytes, index + 1) { return true }
            } else if element.type == BSONType.array {
                if try elements(element, index + 1) { return true }
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
    func holds(_ element: Element) throws(PatternError) -> Bool {
        switch self {
        case .compare(let comparison, let literal):
            return literal.withElement { element.holds(comparison, $0) }
        case .isIn(let literals, let patterns):
            if literals.contains(where: { $0.withElement { element.holds(.equal, $0) } }) { return true }
            guard let text = element.text else { return false }
            for pattern in patterns where try pattern.matches(text) { return true }
            return false
        case .exists: return !element.isMissing
        case .type(let types): return types.contains(element.type)
        case .matches(let pattern):
            guard let text = element.text else { return false }
            return try pattern.matches(text)
        case .size(let size):
            guard element.type == BSONType.array else { return false }
            var cursor = BSONCursor(document: element.bytes)
            var count = 0
            while cursor.next() { count += 1 }
            return count == size
        case .hasDocument(let filter):
            return try Self.hasElement(element) { (inner) throws(PatternError) in
                // A list is a document whose names are the indices.
                guard inner.type == BSONType.document || inner.type == BSONType.array else { return false }
                return try filter.matches(inner.bytes)
            }
        case .hasElement(let condition):
            return try Self.hasElement(element) { (inner) throws(PatternError) in
                try condition.holds { (test) throws(PatternError) in try test.holds(inner) }
            }
        }
    }

    private static func hasElement(
        _ list: Element, _ body: (Element) throws(PatternError) -> Bool
    ) throws(PatternError) -> Bool {
        guard list.type == BSONType.array else { return false }
        var cursor = BSONCursor(document: list.bytes)
        while cursor.next() {
            if try body(cursor.element) { return true }
        }
        return false
    }
}

extension BSONCursor {
    fileprivate func hasKey(_ name: [UInt8]) -> Bool {
        name.withUnsafeBytes { keyBytes.isSame(as: $0) }
    }
}
