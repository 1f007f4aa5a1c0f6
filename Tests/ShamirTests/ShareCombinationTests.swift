import PDSecrets
import Testing

@testable import PDShamir

@Suite("Native shares, combined")
struct ShareCombinationTests {
    @Test(arguments: [(2, 2), (3, 5), (5, 9)], [1, 32, 5000, 65_536])
    func sharesThatWereWrittenAndReadRestoreTheSecret(_ counts: (Int, Int), bytes: Int) throws {
        let generator = CountingRandomness(seed: UInt64(bytes))
        let secret = (0..<bytes).map { _ in generator.nextByte() }
        let sample = try Sample(threshold: counts.0, shares: counts.1, secret: secret)
        let read = try sample.shares.suffix(counts.0).map { try Share(bytes: $0.encoded().array) }
        let combination = try Sample.combine(read)
        #expect(combination.secret.array == secret)
        #expect(combination.changed.isEmpty)
    }

    @Test func p03_theSameShareTwiceIsNamed() throws {
        let shares = try Sample().shares
        #expect(throws: ShareFileError.sameShareTwice(1, 3)) {
            _ = try Sample.combine([shares[0], shares[1], shares[2], shares[1]])
        }
    }

    @Test func p04_twoDifferentSharesOfOneNumberAreNamed() throws {
        let shares = try Sample().shares
        #expect(throws: ShareFileError.conflictingShares(1, 2)) {
            _ = try Sample.combine([shares[0], shares[1], try shares[1].flipped(bit: 9)])
        }
    }

    @Test func p05_tooFewSharesSayHowManyMoreAreNeeded() throws {
        let shares = try Sample().shares
        let error = #expect(throws: ShareFileError.self) { _ = try Sample.combine(Array(shares[..<2])) }
        #expect(error == .notEnough(have: 2, need: 3))
        #expect(error?.description == "have 2 shares, need 3: 1 more")
        #expect(throws: ShareFileError.noShares) { _ = try Sample.combine([]) }
    }

    @Test func p06_moreSharesThanNeededAreAllChecked() throws {
        let shares = try Sample().shares
        let combination = try Sample.combine(shares)
        #expect(combination.secret.array == Sample.secret)
        #expect(combination.changed.isEmpty)
    }

    @Test(arguments: 0..<4)
    func p06_oneDamagedShareAmongOneMoreThanTheThresholdIsNamed(damaged: Int) throws {
        var shares = try Array(Sample().shares[..<4])
        shares[damaged] = try shares[damaged].flipped(bit: 77)
        let combination = try Sample.combine(shares)
        #expect(combination.secret.array == Sample.secret)
        #expect(combination.changed == [damaged])
    }

    @Test func p06_twoDamagedSharesAmongTwoMoreThanTheThresholdAreNamed() throws {
        for first in 0..<5 {
            for second in (first + 1)..<5 {
                var shares = try Sample().shares
                shares[first] = try shares[first].flipped(bit: 0)
                shares[second] = try shares[second].flipped(bit: 100)
                let combination = try Sample.combine(shares)
                #expect(combination.secret.array == Sample.secret)
                #expect(combination.changed == [first, second])
            }
        }
    }

    @Test func p07_aFlippedBitInAnyByteOfABodyIsNoticed() throws {
        let shares = try Array(Sample().shares[..<3])
        for byte in 0..<shares[1].body.count {
            let spoiled = [shares[0], try shares[1].flipped(bit: byte * 8 + byte % 8), shares[2]]
            if byte < shares[1].set.messageBytes {
                #expect(throws: ShareFileError.doNotFit(have: 3, need: 3)) { _ = try Sample.combine(spoiled) }
            } else {
                #expect(try Sample.combine(spoiled).changed == [1], "only the share's own MAC was changed")
            }
        }
    }

    @Test func p08_sharesOfTwoSplitsOfOneSecretAreRefusedByTheirSet() throws {
        let (old, new) = (try Sample(identifier: 1).shares, try Sample(identifier: 2, seed: 21).shares)
        #expect(throws: ShareFileError.differentSets(0, 2)) {
            _ = try Sample.combine([old[0], old[1], new[2]])
        }
    }

    @Test func p09_sharesOfTwoSecretsAreRefusedByTheirSet() throws {
        let one = try Sample(identifier: 1).shares
        let other = try Sample(identifier: 2, secret: Array("another secret of the same length".utf8)).shares
        #expect(throws: ShareFileError.differentSets(0, 1)) {
            _ = try Sample.combine([one[0], other[1], one[2]])
        }
    }

    @Test func p09_sharesOfTwoSecretsThatClaimOneSetDoNotFit() throws {
        let one = try Sample().shares
        let other = try Sample(seed: 22, secret: Array("another secret of the same length".utf8)).shares
        #expect(throws: ShareFileError.doNotFit(have: 3, need: 3)) {
            _ = try Sample.combine([one[0], other[1], one[2]])
        }
    }

    @Test(arguments: [nil, "another label"])
    func p06_p32_forgedSharesThatAreEnoughAmongThemselvesNeverWin(label: String?) throws {
        // Whoever has seen one share knows the set's name, and can make shares of a secret of their own in it.
        let true_ = try Sample(shares: 6).shares
        let set = try ShareSet.sample(label: label ?? true_[0].set.label, shares: 6)
        let forged = try set.split(
            SecretBytes(copying: Array("another secret of the same length".utf8)),
            randomness: CountingRandomness(seed: 22), cryptography: TestCryptography())
        for mix in [true_[..<3] + forged[3...], forged[..<3] + true_[3...]] {
            let error = #expect(throws: ShareFileError.self) { _ = try Sample.combine(Array(mix)) }
            #expect(error == .twoSecrets([0, 1, 2], [3, 4, 5]))
        }
        let some = [forged[0], true_[1], forged[2], true_[3], true_[4]]
        #expect(try Sample.combine(some).changed == [0, 2], "too few to be a secret")
        #expect(try Sample.combine(some).secret.array == Sample.secret)
    }

    @Test func p12_p32_forgedSharesThatDemandFewerAreNotEnoughBesideTrueOnes() throws {
        let true_ = try Sample().shares
        let forged = try ShareSet.sample(threshold: 2).split(
            SecretBytes(copying: Sample.secret), randomness: CountingRandomness(seed: 22),
            cryptography: TestCryptography())
        #expect(throws: ShareFileError.contradiction(0, 2, field: "Threshold")) {
            _ = try Sample.combine([true_[0], true_[1], forged[2], forged[3]])
        }
        // Most of them, and they restore something: which it is, and that others contradict, is not for a program to weigh.
        #expect(throws: ShareFileError.outnumbered([1], have: 3)) {
            _ = try Sample.combine([forged[2], true_[1], forged[3]])
        }
        #expect(try Sample.combine(Array(true_[..<3]) + Array(forged[3...])).changed == [3, 4])
    }

    @Test(arguments: [4, 5, 6, 255], 0..<5)
    func p29_p32_aHolderWhoRaisesTheThresholdIsNamed(threshold: Int, place: Int) throws {
        let true_ = try Sample().shares
        let old = true_[0].set
        let set = try ShareSet(
            identifier: old.identifier, label: old.label, created: old.created, threshold: threshold,
            shares: max(threshold, old.shares), content: old.content)
        var shares = true_
        shares[place] = try shares[place].rewritten(set: set, holder: shares[place].holder)
        if threshold == 4 {
            // As many agree as it demands.
            #expect(try Sample.combine(shares).changed == [place])
            #expect(try Sample.combine(shares).secret.array == Sample.secret)
        } else {
            #expect(throws: ShareFileError.outnumbered([place], have: 5)) { _ = try Sample.combine(shares) }
        }
        var changed = shares
        let other = (place + 1) % 5
        changed[other] = try changed[other].flipped(bit: 5)
        if threshold == 4 {
            #expect(try Sample.combine(changed).changed == [place, other].sorted())
        } else {
            #expect(throws: ShareFileError.outnumbered([place, other].sorted(), have: 5)) {
                _ = try Sample.combine(changed)
            }
        }
        // Just enough beside the forged one.
        let few = [0, 1, 2, 3].map { shares[(place + $0) % 5] }
        #expect(throws: ShareFileError.outnumbered([0], have: 4)) { _ = try Sample.combine(few) }
        #expect(try Sample.combine(Array(few.dropFirst())).secret.array == Sample.secret)
        // Too few beside it.
        let fewer = Array(few.dropLast())
        #expect(throws: ShareFileError.contradiction(0, 1, field: "Threshold")) {
            _ = try Sample.combine(fewer)
        }
    }

    @Test func p29_p32_noChangeOfTheLinesOnOneOrTwoSharesEverYieldsAnotherSecret() throws {
        let true_ = try Sample(threshold: 3, shares: 7).shares
        let old = true_[0].set
        var sets: [ShareSet] = []
        for (threshold, shares, label) in [
            (2, 7, old.label), (2, 2, old.label), (4, 7, old.label), (7, 7, old.label), (255, 255, old.label),
            (3, 8, old.label), (3, 3, old.label), (3, 7, "other"), (3, 7, nil), (2, 9, "other"),
        ] {
            for day in [old.created, "2026-11-24"] {
                sets.append(
                    try ShareSet(
                        identifier: old.identifier, label: label, created: day, threshold: threshold,
                        shares: shares, content: old.content))
            }
        }
        for count in 2...7 {
            for (first, set) in sets.enumerated() {
                for second in [nil, set, sets[(first + 3) % sets.count]] {
                    var shares = Array(true_[..<count])
                    // A number that the changed line allows.
                    for (place, set) in [(0, set), (1, second ?? old)] {
                        shares[place] = try shares[place].rewritten(set: set, holder: shares[place].holder)
                    }
                    do {
                        let combination = try Sample.combine(shares)
                        #expect(combination.secret.array == Sample.secret)
                        #expect(combination.changed.allSatisfy { $0 < 2 } && !combination.changed.isEmpty)
                    } catch ShareFileError.outnumbered(let places, _) {
                        #expect(places == (second == nil ? [0] : [0, 1]))
                    } catch let error as ShareFileError {
                        switch error {
                        case .contradiction, .notEnough, .doNotFit: break
                        default: Issue.record("\(error)")
                        }
                        #expect(count < (second == nil ? 4 : 5), "\(error)")
                    }
                }
            }
        }
    }

    @Test func p06_p32_holdersWhoForgeOneMoreShareToTheirOwnNeverWin() throws {
        // One holder less than the threshold chooses a secret and computes the share that makes it fit. With 2 of 3:
        // y₃ = m ⊕ 3·c for the line through (0, m) and (1, y₁).
        let shares = try Sample(threshold: 2, shares: 3).shares
        let wanted = try shares[0].set.split(
            SecretBytes(copying: Array("another secret of the same length".utf8)),
            randomness: CountingRandomness(seed: 22), cryptography: TestCryptography())
        let message = try Shamir.secret(from: wanted[..<2].map { ($0.number, Self.value($0)) })
        let own = Self.value(shares[0])
        let value = zip(message, own).map { $0 ^ GF256.multiply(3, $0 ^ $1) }
        let body = SecretBytes(copying: value + shares[2].body.array.suffix(16))
        let forged = try Share(set: shares[2].set, number: 3, holder: shares[2].holder, body: body)
        for order in [[0, 1, 2], [0, 2, 1], [2, 0, 1]] {
            let given = order.map { [shares[0], forged, shares[1]][$0] }
            let error = #expect(throws: ShareFileError.self) { _ = try Sample.combine(given) }
            guard case .twoSecrets = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test func p06_p37_whereNotAllChoicesCanBeTriedFewSharesMayDiffer() throws {
        let sample = try Sample(threshold: 12, shares: 30).shares
        func flipping(_ count: Int) throws -> [Share] {
            try sample[..<(sample.count - count)] + sample.suffix(count).map { try $0.flipped(bit: 3) }
        }
        #expect(Choices.number(of: 12, among: 30, limit: 20_000) == 20_001)
        #expect(try Sample.combine(flipping(9)).changed == Array(21..<30))
        #expect(throws: ShareFileError.tooManyChanged(have: 30, changed: 10)) {
            _ = try Sample.combine(flipping(10))
        }
        let counts = [
            (2, 2, 1), (3, 5, 10), (8, 16, 12_870), (254, 255, 255), (2, 201, 20_001), (2, 200, 19_900),
        ]
        for (size, count, number) in counts {
            #expect(Choices.number(of: size, among: count, limit: 20_000) == number)
        }
    }

    /// What was split of a share, without the share's own MAC.
    private static func value(_ share: Share) -> [UInt8] { share.body.array.dropLast(16) }

    @Test func p10_aShareOfAnotherLengthThatClaimsTheSameSetIsNamedByTheField() throws {
        let one = try Sample().shares
        let longer = try Sample(secret: Sample.secret + [0]).shares
        #expect(throws: ShareFileError.contradiction(0, 2, field: "Secret")) {
            _ = try Sample.combine([one[0], one[1], longer[2]])
        }
    }

    @Test func p12_aSetWithFieldsOutOfRangeCannotBeMade() throws {
        for (threshold, shares) in [(0, 3), (1, 3), (4, 3), (2, 0), (2, 256), (256, 256), (-2, 3)] {
            #expect(throws: ShareFileError.self) {
                _ = try ShareSet.sample(threshold: threshold, shares: shares)
            }
        }
        for bytes in [0, -1, 65_537] {
            #expect(throws: ShareFileError.invalidField("Secret")) {
                _ = try ShareSet.sample(content: .direct(bytes: bytes))
            }
        }
        let share = try Sample().shares[0]
        for number in [0, 6, -1, 256] {
            #expect(throws: ShareFileError.invalidField("Share")) {
                _ = try share.rewritten(number: number, holder: nil)
            }
        }
    }

    @Test(arguments: ["label", "created", "threshold", "shares"])
    func p29_aFieldOfTheSetThatWasChangedOnEveryShareIsNoticed(field: String) throws {
        let shares = try Sample().shares
        let old = shares[0].set
        let new = try ShareSet(
            identifier: old.identifier, label: field == "label" ? "harmless.txt" : old.label,
            created: field == "created" ? "2026-11-24" : old.created,
            threshold: field == "threshold" ? 2 : old.threshold, shares: field == "shares" ? 6 : old.shares,
            content: old.content)
        let changed = try shares.map { try $0.rewritten(set: new, holder: $0.holder) }
        #expect(throws: ShareFileError.doNotFit(have: 5, need: new.threshold)) {
            _ = try Sample.combine(changed)
        }
        for place in 0..<5 {
            var one = shares
            one[place] = changed[place]
            let combination = try Sample.combine(one)
            #expect(combination.secret.array == Sample.secret)
            #expect(combination.set == old)
            #expect(combination.changed == [place])
        }
        // One line has both numbers: "Threshold: 3 of 5".
        let line = ["label": "Label", "created": "Created"][field] ?? "Threshold"
        #expect(throws: ShareFileError.contradiction(0, 2, field: line)) {
            _ = try Sample.combine([shares[0], shares[1], changed[2]])
        }
    }

    @Test func p29_aLabelThatOnlyLooksTheSameIsNoticedWhereverItStands() throws {
        let set = try ShareSet.sample(label: "Schl\u{fc}ssel")
        let shares = try set.split(
            SecretBytes(copying: Sample.secret), randomness: CountingRandomness(seed: 3),
            cryptography: TestCryptography())
        // U+0455 is Cyrillic and looks like s. Other bytes for equal characters cannot stand on a share at all.
        let alike = try ShareSet.sample(label: "Schl\u{fc}s\u{455}el")
        for place in 0..<4 {
            var given = Array(shares[..<4])
            given[place] = try given[place].rewritten(set: alike, holder: nil)
            #expect(try Sample.combine(given).changed == [place])
        }
        #expect(throws: ShareFileError.contradiction(0, 1, field: "Label")) {
            _ = try Sample.combine([shares[0], try shares[1].rewritten(set: alike, holder: nil), shares[2]])
        }
    }

    @Test func p29_ofTwoSpellingsOfALabelOnlyTheNormalOneIsOnAShare() throws {
        let decomposed = "Schlu\u{308}ssel"
        #expect(throws: ShareFileError.invalidField("Label")) { try ShareSet.sample(label: decomposed) }
        let set = try ShareSet.sample(label: "Schl\u{fc}ssel")
        let share = try set.split(
            SecretBytes(copying: Sample.secret), randomness: CountingRandomness(seed: 3),
            cryptography: TestCryptography())[0]
        // Its own checksum makes it no other label.
        let forged = share.text.replacingLine("Label", with: checked("Label: \(decomposed)", on: share))
        #expect(Array(forged.utf8) != Array(share.text.utf8))
        #expect(throws: ShareFileError.self) { try Share(bytes: Array(forged.utf8)) }
        // A keyboard that spells it otherwise types the label that was printed.
        let typed = share.text.replacing("Schl\u{fc}ssel", with: decomposed)
        #expect(Array(typed.utf8) != Array(share.text.utf8))
        #expect(try Share(bytes: Array(typed.utf8)).encoded().array == share.encoded().array)
    }

    @Test func p29_aHoldersNameThatWasChangedIsNoticedWithNoShareToSpare() throws {
        var shares = try Array(Sample().shares[..<3])
        shares[2] = try shares[2].rewritten(holder: "Mallory")
        let combination = try Sample.combine(shares)
        #expect(combination.secret.array == Sample.secret)
        #expect(combination.changed == [2])
    }

    @Test func p32_aHolderWhoAddsAKnownDifferenceToTheSecretIsFoundOut() throws {
        // The sum of shares is linear: a change of one body shifts the secret by a known amount. The MAC's value under
        // the unknown key would have to be shifted too.
        var shares = try Array(Sample().shares[..<3])
        for bit in [0, 7, 100] {
            shares[0] = try shares[0].flipped(bit: bit)
            #expect(throws: ShareFileError.doNotFit(have: 3, need: 3)) { _ = try Sample.combine(shares) }
        }
    }

    @Test func p32_theMACThatIsComparedHasSixteenBytes() throws {
        // With everything else right, each single byte of it decides.
        let shares = try Array(Sample().shares[..<3])
        let start = Sample.secret.count + 16
        for byte in start..<(start + 16) {
            let spoiled = [try shares[0].flipped(bit: byte * 8), shares[1], shares[2]]
            #expect(throws: ShareFileError.doNotFit(have: 3, need: 3)) { _ = try Sample.combine(spoiled) }
        }
        #expect(shares[0].set.messageBytes == start + 16)
    }

    @Test func p33_nothingOnAShareDependsOnTheSecretOnceItsBytesAreFixed() throws {
        // Two secrets, and coefficients that make share 1 equal in both. If share 1's text is equal too, its holder
        // has nothing to tell the two apart by. For a threshold of two: coefficient = message byte ⊕ share byte.
        let set = try ShareSet.sample(threshold: 2, shares: 2, content: .direct(bytes: 4))
        let checkKey = [UInt8](repeating: 7, count: 16)
        let first = try set.split(
            SecretBytes(copying: Array("1234".utf8)),
            randomness: ScriptedRandomness(checkKey + (0..<36).map { UInt8($0) }),
            cryptography: TestCryptography())
        let value = Array(first[0].body.array[..<36])
        // A first run with zero coefficients shows the other secret's message, the second one aims.
        let message = try set.split(
            SecretBytes(copying: Array("0000".utf8)),
            randomness: ScriptedRandomness(checkKey + [UInt8](repeating: 0, count: 36)),
            cryptography: TestCryptography())[0].body.array[..<36]
        let second = try set.split(
            SecretBytes(copying: Array("0000".utf8)),
            randomness: ScriptedRandomness(checkKey + zip(message, value).map { $0 ^ $1 }),
            cryptography: TestCryptography())
        #expect(first[0].text == second[0].text)
        #expect(first[1].text != second[1].text)
    }

    @Test func p36_aNewSplitOfTheSameSecretHasASetOfItsOwnAndCannotBeMixedIn() throws {
        let old = try Sample(identifier: 1).shares
        let secret = try Sample.combine(Array(old[..<3])).secret
        let set = try ShareSet.sample(identifier: 9)
        let new = try set.split(
            secret, randomness: CountingRandomness(seed: 30), cryptography: TestCryptography())
        #expect(try Sample.combine(Array(new[2...])).secret.array == Sample.secret)
        #expect(throws: ShareFileError.differentSets(0, 2)) {
            _ = try Sample.combine([old[0], old[1], new[2]])
        }
        #expect(zip(old, new).allSatisfy { $0.body.array != $1.body.array })
    }

    @Test func allChoicesAreTriedAndEachPlaceIsSoonLeftOut() {
        #expect(Array(Choices(of: 3, among: 3)) == [[0, 1, 2]])
        let choices = Array(Choices(of: 2, among: 4))
        #expect(Set(choices.map(Set.init)).count == 6)
        for place in 0..<40 {
            let early = Choices(of: 30, among: 40).prefix(40)
            #expect(early.contains { !$0.contains(place) })
        }
    }
}
