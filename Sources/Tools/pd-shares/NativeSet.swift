import PDShamir

/// Native shares, unlocked and combined, with errors that name files.
struct NativeSet {
    let inputs: [ShareInput.Native]
    let combination: ShareCombination

    init(
        _ inputs: [ShareInput.Native], passphrases: Passphrases, cryptography: CoreCryptography
    ) throws {
        Self.announce(inputs)
        // What can be refused is refused before anyone is asked for a passphrase.
        do {
            try ShareCombination.check(inputs.map(\.share))
        } catch .passphraseNeeded {
        } catch {
            throw Self.named(error, inputs, cryptography)
        }
        let unlocked = try inputs.map { input in
            let share = try passphrases.unlock(
                input.share, named: Printable.escaped(input.name), cryptography)
            return ShareInput.Native(name: input.name, share: share)
        }
        self.inputs = unlocked
        do {
            combination = try ShareCombination(unlocked.map(\.share), cryptography: cryptography)
        } catch let error as ShareFileError {
            throw Self.named(error, unlocked, cryptography)
        }
    }

    /// What must have happened before anyone removes what new shares were made from.
    static let proof = "`pd-shares verify` has accepted the new shares"

    /// What can be said of a share that the found secret speaks against: no more than that the others agree.
    static let misfit =
        "does not fit the other shares, which restore a secret: it was changed after the split, unless they were forged"

    /// The shares that were changed, named.
    var changed: [String] {
        combination.changed.map { "\(inputs[$0].name): \(Printable.escaped(inputs[$0].title))" }
    }

    /// Says after each share how many more are needed. Two of one number bring no more than one.
    private static func announce(_ inputs: [ShareInput.Native]) {
        var numbers: Set<UInt8> = []
        for input in inputs {
            let set = input.share.set
            let fits = set.identifier == inputs[0].share.set.identifier
            if fits { numbers.insert(input.share.number) }
            let missing = set.threshold - numbers.count
            let rest =
                !fits ? "another set" : missing > 0 ? "\(missing) more needed" : "enough"
            Terminal.note(
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
