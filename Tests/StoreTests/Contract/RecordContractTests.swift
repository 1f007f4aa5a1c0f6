import PDDocument
import PDProtocol
import PDStore
import Testing

@Suite("What a store keeps beside its hosts")
struct RecordContractTests {
    @Test("Records are listed by name, replaced, and removed", arguments: StoreKind.all)
    func records(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (a, b, c) = (
                StoredRecord(id: "a", document: ["n": 1]),
                StoredRecord(id: "b", document: ["at": .date(milliseconds: 5)]),
                StoredRecord(id: "c", document: [:])
            )
            try await store.apply(records: [c, a, b].map { .put(.silences, $0) })
            #expect(try await store.records(.silences) == [a, b, c])
            #expect(try await store.records(.silences, from: "b", to: nil) == [b, c])
            #expect(try await store.records(.silences, from: nil, to: "b") == [a])
            #expect(try await store.records(.silences, from: "b", to: "c") == [b])
            #expect(try await store.records(.outbox) == [])
            #expect(try await store.record(.silences, "b") == b)
            #expect(try await store.record(.silences, "d") == nil)
            #expect(try await store.record(.outbox, "b") == nil)

            let other = StoredRecord(id: "b", document: ["n": "other"])
            try await store.apply(records: [
                .put(.silences, other), .remove(.silences, id: "a"), .remove(.silences, id: "never"),
            ])
            #expect(try await store.records(.silences) == [other, c])
        }
    }

    @Test("Changes of issues and records are applied together, or none of them", arguments: StoreKind.all)
    func together(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.record(submission("a", plugins: [:]), submittedAt: 1).id
            let record = StoredRecord(id: "r", document: ["n": 1])
            let unknown = HostID(v1: try #require(Hostname("nobody")))
            await #expect(throws: StoreError.unknownHost(unknown.text)) {
                try await store.apply(
                    issues: [
                        IssueChange(.open, host: id, check: "c"),
                        IssueChange(.open, host: unknown, check: "c"),
                    ], records: [.put(.outbox, record)], at: 10)
            }
            #expect(try await store.openIssues() == [])
            #expect(try await store.records(.outbox) == [])

            try await store.apply(
                issues: [IssueChange(.open, host: id, check: "c", details: ["kind": "unknown"])],
                records: [.put(.outbox, record)], at: 10)
            let opened = try await store.openIssues()
            #expect(opened.map(\.details) == [["kind": "unknown"]])
            #expect(opened.map(\.openedAt) == [10])
            #expect(try await store.records(.outbox) == [record])
        }
    }

    @Test("An issue is opened once, told, closed, and opened again as another one", arguments: StoreKind.all)
    func issueChanges(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.record(submission("a", plugins: [:]), submittedAt: 1).id
            func apply(_ change: IssueChange, at: Int64) async throws {
                try await store.apply(issues: [change], records: [], at: at)
            }
            try await apply(IssueChange(.update, host: id, check: "c", alertedAt: 5), at: 5)
            try await apply(IssueChange(.close, host: id, check: "c"), at: 6)
            #expect(try await store.issues(from: 0, to: 1_000_000) == [])

            try await apply(IssueChange(.open, host: id, check: "c", details: ["n": 1]), at: 10)
            try await apply(IssueChange(.open, host: id, check: "c", details: ["n": 2]), at: 11)
            #expect(try await store.openIssues().map(\.details) == [["n": 1]])
            try await apply(
                IssueChange(.update, host: id, check: "c", alertedAt: 12, details: ["n": 3]), at: 12)
            let told = try await store.openIssues()
            #expect(told.map(\.alertedAt) == [12] && told.map(\.openedAt) == [10])
            try await apply(IssueChange(.close, host: id, check: "c", details: ["closed_by": "anna"]), at: 20)
            #expect(try await store.openIssues() == [])
            try await apply(IssueChange(.open, host: id, check: "c"), at: 30)

            let all = try await store.issues(from: 0, to: 1_000_000)
            #expect(all.map(\.openedAt) == [10, 30] && all.map(\.closedAt) == [20, nil])
            #expect(all.map(\.alertedAt) == [12, nil] && all.first?.details == ["closed_by": "anna"])
            // Open at some moment of the period: its end does not belong to it, the moment of closing does.
            #expect(try await store.issues(from: 20, to: 30).map(\.openedAt) == [10])
            #expect(try await store.issues(from: 21, to: 31).map(\.openedAt) == [30])
            #expect(try await store.issues(from: 0, to: 10) == [])
        }
    }
}
