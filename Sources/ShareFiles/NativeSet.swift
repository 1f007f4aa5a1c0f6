import PDShamir

/// Native shares, unlocked and combined, with errors that name files.
package struct NativeSet {
    package let inputs: [ShareInput.Native]
    package let combination: ShareCombination

    /// Chooses the set of which there are enough shares, unlocks them and combines them.
    ///
    /// - Parameter given: keeps what passphrases opened, also where this throws, for the next attempt.
    package init(
        _ given: inout ShareInput, keepers: some Keepers, cryptography: CoreCryptography
    ) throws {
        let inputs = try Self.choose(given, keepers)
        Self.announce(inputs, keepers)
        // What can be refused is refused before anyone is asked for a passphrase.
        do {
            try ShareCombination.check(inputs.map(\.share))
        } catch .passphraseNeeded {
        } catch {
            throw Self.named(error, inputs, cryptography)
        }
        let unlocked = try Self.unlock(inputs, &given, keepers, cryptography)
        self.inputs = unlocked
        do {
            combination = try ShareCombination(unlocked.map(\.share), cryptography: cryptography)
        } catch {
            given.refused = unlocked.map(\.share)
            throw Self.named(error, unlocked, cryptography)
        }
    }

    /// The shares of the one set that is complete. Others, of another year or damaged, are left out with a line.
    private static func choose(_ given: ShareInput, _ keepers: some Keepers) throws -> [ShareInput.Native] {
        var groups: [[ShareInput.Native]] = []
        for input in given.native {
            if let place = groups.firstIndex(where: {
                $0[0].share.set.identifier == input.share.set.identifier
            }) {
                groups[place].append(input)
            } else {
                groups.append([input])
            }
        }
        func isComplete(_ group: [ShareInput.Native]) -> Bool {
            let needed = group.reduce(255) { Swift.min($0, $1.share.set.threshold) }
            return Set(group.map(\.share.number)).count >= needed
        }
        let complete = groups.filter(isComplete)
        for damaged in given.damaged { for line in damaged.lines { keepers.note("pd-shares: \(line)") } }
        guard let chosen = complete.first ?? groups.first else {
            throw ToolError(
                given.damaged.isEmpty
                    ? "no shares were given"
                    : "\(given.damaged.count) damaged \(given.damaged.count == 1 ? "share" : "shares"), and no whole one: mend the lines above",
                exitCode: given.damaged.isEmpty ? 2 : 1)
        }
        guard complete.count <= 1 else {
            throw ToolError(
                "there are enough shares of \(complete.count) sets: \(complete.map { name($0[0].share.set) }.joined(separator: "; ")): "
                    + "give those of one")
        }
        guard !complete.isEmpty else {
            if groups.count == 1, given.damaged.isEmpty { return chosen }
            let counts = groups.map {
                "\($0.count) of \($0[0].share.set.threshold) for \(name($0[0].share.set))"
            }
            let mend = given.damaged.isEmpty ? "" : "; mend the \(given.damaged.count) damaged above"
            throw ToolError("not enough shares of any set: \(counts.joined(separator: ", "))\(mend)")
        }
        for group in groups where group[0].share.set.identifier != chosen[0].share.set.identifier {
            for input in group {
                keepers.note(
                    "\(input.name): \(Printable.escaped(input.title)) is of another set, \(name(input.share.set)): left out"
                )
            }
        }
        for damaged in given.damaged { keepers.note("\(damaged.name): damaged, and not needed: left out") }
        return chosen
    }

    /// A set as people know it: its name, its date and its code.
    package static func name(_ set: ShareSet) -> String {
        let label = set.label.map { "\"\(Printable.escaped($0))\" " } ?? ""
        return "\(label)of \(set.created) (set \(set.identifierText))"
    }

    /// Opens locked shares that are not open yet, only as many as are needed where people are asked.
    private static func unlock(
        _ inputs: [ShareInput.Native], _ given: inout ShareInput, _ keepers: some Keepers,
        _ cryptography: CoreCryptography
    ) throws -> [ShareInput.Native] {
        let needed = inputs.reduce(0) { Swift.max($0, $1.share.set.threshold) }
        var open: [ShareInput.Native] = []
        var locked: [ShareInput.Native] = []
        for input in inputs {
            if input.share.protection == nil {
                open.append(input)
            } else if let share = given.opened.first(where: { $0.locked.isSame(as: input.share) })?.open {
                open.append(ShareInput.Native(name: input.name, share: share))
            } else {
                locked.append(input)
            }
        }
        // The same shares would be refused again; one more tells which of them was changed.
        let wereRefused = open.allSatisfy { input in
            given.refused.contains { $0.isSame(as: input.share) }
        }
        let wanted = wereRefused ? Swift.max(needed, open.count + 1) : needed
        for input in locked {
            if keepers.canBeAskedAgain, open.count >= wanted { break }
            let name = Printable.escaped("\(input.name), \(input.title)")
            var again = false
            while let passphrase = try keepers.passphrase(for: name, again: again) {
                do throws(ShareFileError) {
                    let share = try input.share.unlocked(passphrase: passphrase, cryptography: cryptography)
                    given.opened.append((input.share, share))
                    open.append(ShareInput.Native(name: input.name, share: share))
                    break
                } catch {
                    guard error == .wrongPassphrase else { throw error }
                    guard keepers.canBeAskedAgain else { throw ToolError("\(input.name): \(error)") }
                    keepers.note("\(error): try again, or press Return to go on without this share")
                    again = true
                }
            }
        }
        guard open.count >= needed || open.count == inputs.count else {
            throw ToolError(
                "\(open.count) of the shares are open, \(needed) are needed: \(needed - open.count) more passphrases"
            )
        }
        return open.sorted { a, b in a.share.number < b.share.number }
    }

    /// What must have happened before anyone removes what new shares were made from.
    package static let proof = "`pd-shares verify` has accepted the new shares"

    /// What can be said of a share that the found secret speaks against: no more than that the others agree.
    package static let misfit =
        "does not fit the other shares, which restore a secret: it is not as it was made (two papers mixed up, or changed), unless they were forged"

    /// The shares that were changed, named.
    package var changed: [String] {
        combination.changed.map { "\(inputs[$0].name): \(Printable.escaped(inputs[$0].title))" }
    }

    /// Says after each share how many more are needed. Two of one number bring no more than one.
    private static func announce(_ inputs: [ShareInput.Native], _ keepers: some Keepers) {
        var numbers: Set<UInt8> = []
        for input in inputs {
            let set = input.share.set
            let fits = set.identifier == inputs[0].share.set.identifier
            if fits { numbers.insert(input.share.number) }
            let missing = set.threshold - numbers.count
            let rest =
                !fits ? "another set" : missing > 0 ? "\(missing) more needed" : "enough"
            keepers.note(
                "\(input.name): \(Printable.escaped(input.title)), set \(set.identifierText): \(rest)")
        }
    }

    /// Which of two shares with one number the other shares speak against; nil where they restore no secret by
    /// themselves, or speak against both.
    private static func outvoted(
        _ a: Int, _ b: Int, _ inputs: [ShareInput.Native], _ cryptography: CoreCryptography
    ) -> Int? {
        let others = inputs.indices.filter { $0 != a && $0 != b }.map { inputs[$0].share }
        /// Whether the others restore a secret beside `share`, and find it unchanged. Why they restore none does not
        /// matter here: the two shares are refused all the same.
        func fits(_ share: Share?) -> Bool? {
            (try? ShareCombination(others + (share.map { [$0] } ?? []), cryptography: cryptography))
                .map { !$0.changed.contains(others.count) }
        }
        guard fits(nil) != nil else { return nil }
        return switch (fits(inputs[a].share), fits(inputs[b].share)) {
        case (true, false): b
        case (false, true): a
        default: nil
        }
    }

    private static func named(
        _ error: ShareFileError, _ inputs: [ShareInput.Native], _ cryptography: CoreCryptography
    ) -> ToolError {
        func pair(_ a: Int, _ b: Int) -> String { "\(inputs[a].name) and \(inputs[b].name)" }
        func list(_ places: [Int]) -> String {
            places.dropLast().map { inputs[$0].name }.joined(separator: ", ")
                + (places.last.map { " and \(inputs[$0].name)" } ?? "")
        }
        return switch error {
        case .differentSets(let a, let b):
            ToolError(
                "\(pair(a, b)) come from two different splits (sets \(inputs[a].share.set.identifierText) and "
                    + "\(inputs[b].share.set.identifierText)): they can never be combined; bring shares of one set"
            )
        case .contradiction(let a, let b, let field):
            ToolError("\(pair(a, b)) differ in \"\(field)\": one of them was changed; bring another share")
        case .outnumbered(let places, let have):
            ToolError(
                places.count == 1
                    ? "\(inputs[places[0]].name) contradicts the other \(have - 1) shares, which restore a secret: either it "
                        + "was changed or they were forged; ask the holders, and leave out what was"
                    : "\(list(places)) contradict the other \(have - places.count) shares, which restore a secret: either "
                        + "they were changed or the others were forged; ask the holders, and leave out what was"
            )
        case .sameShareTwice(let a, let b):
            ToolError("\(pair(a, b)) are the same share twice: leave one out")
        case .conflictingShares(let a, let b):
            ToolError(
                "\(pair(a, b)) have the same number and differ: "
                    + (outvoted(a, b, inputs, cryptography).map { "\(inputs[$0].name) \(misfit)" }
                        ?? "one of them was changed") + "; leave it out")
        case .twoSecrets(let a, let b):
            ToolError(
                "\(list(a)) restore one secret, \(list(b)) another: the shares of one were forged; ask their holders "
                    + "and leave those out")
        case .notEnough:
            ToolError("\(error); bring more shares of set \(inputs[0].share.set.identifierText)")
        default:
            ToolError("\(error)")
        }
    }
}
