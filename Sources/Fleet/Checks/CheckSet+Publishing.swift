import PDProtocol

extension CheckSet {
    /// What machines may ask themselves: all checks but those that only a server can make.
    package var published: PublishedChecks {
        PublishedChecks(
            checks.compactMap { check in
                guard case .query(let query) = check.method else { return nil }
                var published = PublishedChecks.Check(name: check.name, title: check.title, query: query)
                published.why = check.why
                published.fix = check.fix
                published.fixOn = check.fixOn
                published.severity = check.severity.rawValue
                published.appliesTo = check.appliesTo
                published.unknown = check.unknown?.query
                published.evidence = check.evidence
                return published
            })
    }
}
