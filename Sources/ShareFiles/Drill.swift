import PDShamir

/// What a drill has seen: which shares are whole, and whether they fit. Holds no secret.
package struct Drill {
    private let date = ShareOutput.today()
    private let set: ShareSet
    private let shares: [ShareInput.Native]
    /// Shares of other sets, of another year perhaps.
    private let strangers: [ShareInput.Native]
    private let damaged: [ShareInput.Damaged]
    /// Files of a directory that could not be read.
    private let unreadable: [String]
    /// Whether the shares restore the secret or its key, and all of them fit; nil where they are too few.
    private let fit: Bool?
    /// Names of shares that the others speak against.
    private let misfits: Set<String>
    /// Whether the sealed file opens; nil where it was not tried.
    private let sealed: Bool?

    /// Tries what was given. The set of most shares is the drill's.
    ///
    /// - Returns: nil where no share is whole.
    package init?(
        _ given: ShareInput, keepers: some Keepers, cryptography: CoreCryptography
    ) throws {
        func count(_ set: ShareSet) -> Int {
            given.native.count { $0.share.set.identifier == set.identifier }
        }
        guard let first = given.native.map(\.share.set).max(by: { count($0) < count($1) }) else { return nil }
        // Of as many, the one that came first.
        let set = given.native.map(\.share.set).first { count($0) == count(first) } ?? first
        self.set = set
        shares = given.native.filter { $0.share.set.identifier == set.identifier }
        strangers = given.native.filter { $0.share.set.identifier != set.identifier }
        damaged = given.damaged
        unreadable = given.unreadable
        var whole = given
        (whole.native, whole.damaged) = (shares, [])
        guard Set(shares.map(\.share.number)).count >= set.threshold else {
            (fit, sealed, misfits) = (nil, nil, [])
            return
        }
        var restored = false
        var changed: Set<String> = []
        do {
            let combined = try NativeSet(&whole, keepers: keepers, cryptography: cryptography)
            for share in combined.changed { keepers.note("pd-shares: \(share) \(NativeSet.misfit)") }
            changed = Set(combined.combination.changed.map { combined.inputs[$0].name })
            restored = changed.isEmpty
            guard restored, !given.sealed.isEmpty else {
                (fit, sealed, misfits) = (restored, nil, changed)
                return
            }
            try NativeSecret(combined, sealed: given.sealed, cryptography: cryptography)
                .write(verifyFirst: false) { _ in }
            (fit, sealed, misfits) = (true, true, [])
        } catch let error as ToolError where error.exitCode == 1 {
            // Why they do not fit is said; that they do not is the drill's result.
            keepers.note("pd-shares: \(error.message)")
            (fit, sealed, misfits) = restored ? (true, false, []) : (false, nil, changed)
        }
    }

    /// Whether something is not as it should be.
    package var hasFailed: Bool {
        fit == false || sealed == false || !damaged.isEmpty || !strangers.isEmpty || !unreadable.isEmpty
    }

    /// The record for people.
    package var text: String {
        var lines = [
            "Drill of \(date) for the secret \(NativeSet.name(set)), any \(set.threshold) of \(set.shares)"
        ]
        for input in shares {
            lines.append(
                "  \(Printable.escaped(input.title)): readable and whole"
                    + (misfits.contains(input.name) ? ", but does NOT fit the others" : "")
                    + (input.share.protection == nil ? "" : ", locked with a passphrase"))
        }
        for input in strangers {
            lines.append(
                "  \(Printable.escaped(input.title)): OF ANOTHER SET, \(NativeSet.name(input.share.set))")
        }
        for name in damaged.map(\.name) + unreadable { lines.append("  \(name): DAMAGED") }
        switch fit {
        case true:
            let file =
                switch sealed {
                case true: ", and the sealed file opens"
                case false: "'s key, but the sealed file does NOT open"
                default: if case .sealed = set.content { "'s key" } else { "" }
                }
            lines.append("  These shares fit together and restore the secret\(file).")
        case false: lines.append("  These shares do NOT all fit together.")
        default:
            lines.append("  Whether they fit together was not tried: that takes \(set.threshold) holders.")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The record for programs.
    package var json: String {
        func truth(_ value: Bool?) -> String { value.map { "\($0)" } ?? "null" }
        func seen(_ input: ShareInput.Native) -> String {
            "\"share\": \(input.share.number), \"holder\": \(input.share.holder.map(Printable.json) ?? "null"), "
                + "\"whole\": true, \"passphrase\": \(input.share.protection != nil)"
                + (misfits.contains(input.name) ? ", \"fits\": false" : "")
        }
        let entries =
            shares.map(seen)
            + strangers.map { "\(seen($0)), \"set\": \(Printable.json($0.share.set.identifierText))" }
            + damaged.map {
                "\"share\": \($0.share.number.map { "\($0)" } ?? "null"), \"whole\": false, "
                    + "\"file\": \(Printable.json($0.name))"
            }
            + unreadable.map { "\"share\": null, \"whole\": false, \"file\": \(Printable.json($0))" }
        let list = entries.map { "{\($0)}" }.joined(separator: ", ")
        return """
            {"date": \(Printable.json(date)), "set": \(Printable.json(set.identifierText)), \
            "label": \(set.label.map(Printable.json) ?? "null"), "created": \(Printable.json(set.created)), \
            "threshold": \(set.threshold), "shares": \(set.shares), "seen": [\(list)], \
            "fit": \(truth(fit)), "sealed_file": \(truth(sealed))}

            """
    }
}
