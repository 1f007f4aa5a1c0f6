import PDLegacy
import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct PipeFrameTests {
    private let pipeSecret: SecretBytes
    private let pipeID = Array(UInt8(0xF0)...0xFF)

    init() throws {
        pipeSecret = SecretBytes(copying: 0..<32)
    }

    private func sealer(_ direction: PipeFrame.Direction = .fromAgent, at number: UInt64 = 0) throws
        -> PipeFrame.Sealer
    {
        try PipeFrame.Sealer(secret: pipeSecret, pipeID: pipeID, direction: direction, number: number)
    }

    private func opener(_ direction: PipeFrame.Direction = .fromAgent, at number: UInt64 = 0) throws
        -> PipeFrame.Opener
    {
        try PipeFrame.Opener(secret: pipeSecret, pipeID: pipeID, direction: direction, number: number)
    }

    /// Frames with the payloads 0, 1, 2, …; the last one says so.
    private func frames(_ count: Int) throws -> [[UInt8]] {
        var sealer = try sealer()
        return try (0..<count).map {
            try sealer.seal([UInt8($0)], position: $0 == count - 1 ? .last : .inside)
        }
    }

    /// An independent construction of the first frame, from the format's description.
    @Test func `a frame is what the description says`() throws {
        var sealer = try sealer(.fromOperator)
        let frame = try sealer.seal("ls -l\n".utf8, position: .last)
        let info = Array("PenguinDome pipe 2".utf8) + [0, 1]
        let key = try OpenSSL.run([
            "kdf", "-keylen", "32", "-kdfopt", "digest:SHA256", "-kdfopt",
            "hexkey:\(OpenSSL.hex(Array(0..<32)))",
            "-kdfopt", "hexsalt:\(OpenSSL.hex(pipeID))", "-kdfopt", "hexinfo:\(OpenSSL.hex(info))", "-binary",
            "HKDF",
        ]).output
        let header = bytes(hex: "02 01 01 00 00000006 0000000000000000")
        let box = try AES.GCM.seal(
            Array("ls -l\n".utf8), using: SecretBytes(copying: key),
            nonce: bytes(hex: "01 01 00 00 0000000000000000"), authenticating: header + [1] + pipeID)
        #expect(frame == header + box.ciphertext + box.tag)
    }

    @Test func `payloads of every length pass, in both directions, to the last one`() throws {
        for direction in PipeFrame.Direction.allCases {
            var sealer = try sealer(direction)
            var opener = try opener(direction)
            var random = TestRandom(state: 6)
            for count in [0, 1, 15, 16, 17, 16_384, 65_535, 65_536] {
                let payload = random.bytes(count)
                let frame = try sealer.seal(payload)
                #expect(frame.count == 16 + count + 16)
                #expect(try PipeFrame.Header(frame).frameByteCount == frame.count)
                #expect(try opener.open(frame) == payload[...])
                #expect(opener.isFinished == false)
            }
            #expect(try opener.open(sealer.seal([], position: .last)) == [])
            #expect(opener.isFinished == true)
            try opener.finish()
        }
    }

    @Test
    func `p80_ equal payloads give unequal frames, and nothing of one frame tells the nonce of the next`()
        throws
    {
        var first = try sealer()
        var second = try sealer(.fromOperator)
        let frames = try [
            first.seal([7, 7]), first.seal([7, 7]), second.seal([7, 7]), second.seal([7, 7]),
        ]
        #expect(Set(frames.map { Array($0[16...]) }).count == 4)
    }

    @Test func `p82_ a direction that stops before its last frame is known as cut off`() throws {
        let frames = try frames(4)
        for count in 0..<4 {
            var opener = try opener()
            for frame in frames.prefix(count) { _ = try opener.open(frame) }
            #expect(throws: PipeFrame.Error.truncated) { try opener.finish() }
        }
    }

    @Test func `p82_ the mark of the last frame cannot be set early or taken off`() throws {
        let frames = try frames(2)
        var opener = try opener()
        #expect(throws: PipeFrame.Error.authenticationFailed) { _ = try opener.open(frames[0].flipping(2)) }
        #expect(opener.isFinished == false)
        _ = try opener.open(frames[0])
        #expect(throws: PipeFrame.Error.authenticationFailed) { _ = try opener.open(frames[1].flipping(2)) }
        _ = try opener.open(frames[1])
        #expect(opener.isFinished == true)
    }

    @Test func `p82_ nothing comes after the last frame, on either side`() throws {
        var sealer = try sealer()
        var opener = try opener()
        let last = try sealer.seal([1], position: .last)
        #expect(throws: PipeFrame.Error.finished) { _ = try sealer.seal([2]) }
        #expect(throws: PipeFrame.Error.finished) { _ = try sealer.seal([2], position: .last) }
        _ = try opener.open(last)
        var other = try self.sealer(at: 1)
        for frame in [last, try other.seal([2], position: .last)] {
            #expect(throws: PipeFrame.Error.finished) { _ = try opener.open(frame) }
        }
    }

    @Test func `p82_ repeated, dropped and reordered frames are refused, and the right one still opens`()
        throws
    {
        let frames = try frames(4)
        var opener = try opener()
        #expect(throws: PipeFrame.Error.outOfOrder(expected: 0, found: 1)) { _ = try opener.open(frames[1]) }
        #expect(try opener.open(frames[0]) == [0])
        #expect(throws: PipeFrame.Error.outOfOrder(expected: 1, found: 0)) { _ = try opener.open(frames[0]) }
        #expect(throws: PipeFrame.Error.outOfOrder(expected: 1, found: 3)) { _ = try opener.open(frames[3]) }
        #expect(try opener.open(frames[1]) == [1])
        // A frame that is renumbered to fit its new place.
        var renumbered = frames[3]
        renumbered[15] = 2
        #expect(throws: PipeFrame.Error.authenticationFailed) { _ = try opener.open(renumbered) }
        #expect(try opener.open(frames[2]) == [2])
        #expect(try opener.open(frames[3]) == [3])
        try opener.finish()
    }

    @Test func `p82_ a bad tag in the second frame leaves the first, and releases nothing of the second`()
        throws
    {
        let frames = try frames(2)
        var opener = try opener()
        #expect(try opener.open(frames[0]) == [0])
        #expect(throws: PipeFrame.Error.authenticationFailed) {
            _ = try opener.open(frames[1].flipping(frames[1].count - 1))
        }
        #expect(throws: PipeFrame.Error.truncated) { try opener.finish() }
    }

    @Test func `p82_ any frame that is cut or followed by more bytes is refused`() throws {
        let frame = try frames(1)[0]
        var opener = try opener()
        for count in 0..<frame.count {
            let expected = count < 16 ? 16 : frame.count
            #expect(throws: PipeFrame.Error.byteCount(expected: expected, found: count)) {
                _ = try opener.open(Array(frame.prefix(count)))
            }
        }
        #expect(throws: PipeFrame.Error.byteCount(expected: frame.count, found: frame.count + 1)) {
            _ = try opener.open(frame + [0])
        }
        #expect(throws: PipeFrame.Error.byteCount(expected: frame.count, found: frame.count * 2)) {
            _ = try opener.open(frame + frame)
        }
        _ = try opener.open(frame)
    }

    @Test func `any changed bit of a frame is refused`() throws {
        var sealer = try sealer()
        let frame = try sealer.seal("whoami\n".utf8)
        var opener = try opener()
        for index in frame.indices {
            for bit in UInt8(0)..<8 {
                #expect(throws: PipeFrame.Error.self) { _ = try opener.open(frame.flipping(index, bit: bit)) }
            }
        }
        #expect(try opener.open(frame) == Array("whoami\n".utf8)[...])
    }

    @Test func `p116_ a frame turned back to its sender is refused`() throws {
        var sealer = try sealer(.fromAgent)
        var opener = try opener(.fromOperator)
        let frame = try sealer.seal([1])
        #expect(throws: PipeFrame.Error.authenticationFailed) { _ = try opener.open(frame) }
    }

    @Test func `a frame of another pipe, or under another secret, is refused`() throws {
        var sealer = try sealer()
        let frame = try sealer.seal([1])
        for index in pipeID.indices {
            var opener = try PipeFrame.Opener(
                secret: pipeSecret, pipeID: pipeID.flipping(index), direction: .fromAgent)
            #expect(throws: PipeFrame.Error.authenticationFailed) { _ = try opener.open(frame) }
        }
        var opener = try PipeFrame.Opener(
            secret: SecretBytes(copying: 1..<33), pipeID: pipeID, direction: .fromAgent)
        #expect(throws: PipeFrame.Error.authenticationFailed) { _ = try opener.open(frame) }
    }

    @Test func `p83_ no frame is sealed or opened beyond the limit of the key`() throws {
        let limit = PipeFrame.maximumFrames
        var sealer = try sealer(at: limit - 1)
        let last = try sealer.seal([1])
        for _ in 0..<2 { #expect(throws: PipeFrame.Error.frameLimitReached) { _ = try sealer.seal([1]) } }
        var opener = try opener(at: limit - 1)
        #expect(try opener.open(last) == [1])
        var beyond = last
        beyond.replaceSubrange(8..<16, with: limit.bigEndianBytes)
        #expect(throws: PipeFrame.Error.frameLimitReached) { _ = try opener.open(beyond) }
    }

    @Test func `opening a frame leaves its caller's copy as it was`() throws {
        let frames = try frames(1)
        let copy = frames[0].map { $0 }
        var opener = try opener()
        #expect(throws: PipeFrame.Error.authenticationFailed) { _ = try opener.open(frames[0].flipping(20)) }
        _ = try opener.open(frames[0])
        #expect(frames[0] == copy)
    }

    @Test func `p84_ unknown versions, ciphers and flags are refused by name`() throws {
        let frame = try frames(1)[0]
        func open(_ index: Int, _ value: UInt8) throws {
            var changed = frame
            var opener = try opener()
            changed[index] = value
            _ = try opener.open(changed)
        }
        for version in UInt8.min...UInt8.max where version != 2 {
            #expect(throws: PipeFrame.Error.unknownVersion(version)) { try open(0, version) }
        }
        for cipher in UInt8.min...UInt8.max where cipher != 1 {
            #expect(throws: PipeFrame.Error.unknownCipher(cipher)) { try open(1, cipher) }
        }
        for flags in UInt8(2)...UInt8.max {
            #expect(throws: PipeFrame.Error.unknownFlags) { try open(2, flags) }
        }
        for reserved in UInt8(1)...UInt8.max {
            #expect(throws: PipeFrame.Error.unknownFlags) { try open(3, reserved) }
        }
    }

    @Test func `p84_ a v1 message is no v2 frame, and a v2 frame no v1 message`() throws {
        var v1 = try PipeCipherV1.Encryptor(key: pipeSecret, iv: pipeSecret)
        var opener = try opener()
        let message = try v1.encrypt([1, 2, 3], random: FixedRandom())
        #expect(throws: PipeFrame.Error.self) { _ = try opener.open(message) }
        var decryptor = try PipeCipherV1.Decryptor(key: pipeSecret, iv: pipeSecret)
        let frame = try frames(1)[0]
        #expect(throws: PipeCipherV1.Error.undecipherable) {
            _ = try decryptor.decrypt(Array(frame.prefix(32)))
        }
    }

    @Test func `payloads above the limit are refused before anything is allocated for them`() throws {
        var sealer = try sealer()
        #expect(throws: PipeFrame.Error.payloadTooLong(65_537)) {
            _ = try sealer.seal(repeatElement(0, count: 65_537))
        }
        // The refusal used up no number.
        var opener = try opener()
        #expect(try opener.open(sealer.seal([1])) == [1])
        var lying = try sealer.seal([2])
        lying.replaceSubrange(4..<8, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: PipeFrame.Error.payloadTooLong(4_294_967_295)) { _ = try opener.open(lying) }
        lying.replaceSubrange(4..<8, with: [0, 1, 0, 1])
        #expect(throws: PipeFrame.Error.payloadTooLong(65_537)) { _ = try opener.open(lying) }
    }

    @Test func `short secrets and ids of another length are refused`() throws {
        for count in [0, 16, 31] {
            let short = SecretBytes(count: count) { _ in }
            #expect(throws: PipeFrame.Error.secretByteCount(count)) {
                _ = try PipeFrame.Sealer(secret: short, pipeID: pipeID, direction: .fromAgent)
            }
        }
        for count in [0, 15, 17] {
            let id = [UInt8](repeating: 1, count: count)
            #expect(throws: PipeFrame.Error.pipeIDByteCount(count)) {
                _ = try PipeFrame.Opener(secret: pipeSecret, pipeID: id, direction: .fromAgent)
            }
        }
    }

    @Test func `random bytes are refused without a trap`() throws {
        var opener = try opener()
        var random = TestRandom(state: 99)
        for count in 0..<2_000 {
            var noise = random.bytes(count % 80)
            // Half of it gets past the first checks.
            if count.isMultiple(of: 2), noise.count >= 16 {
                noise.replaceSubrange(
                    0..<16, with: bytes(hex: "02010000 000000") + [UInt8(noise.count % 48)] + noise[8..<16])
            }
            #expect(throws: PipeFrame.Error.self) { _ = try opener.open(noise) }
        }
    }

    /// A connection gives what it has: here one byte at a time.
    @Test func `p88_ frames that arrive in pieces are opened when they are whole, and not before`() throws {
        let stream = try frames(3).flatMap { $0 }
        var opener = try opener()
        var (buffer, payloads) = ([UInt8](), [[UInt8]]())
        for byte in stream {
            buffer.append(byte)
            guard buffer.count >= PipeFrame.headerByteCount else {
                let short = PipeFrame.Error.byteCount(
                    expected: PipeFrame.headerByteCount, found: buffer.count)
                #expect(throws: short) { _ = try opener.open(buffer) }
                continue
            }
            let whole = try PipeFrame.Header(buffer).frameByteCount
            guard buffer.count == whole else {
                #expect(throws: PipeFrame.Error.byteCount(expected: whole, found: buffer.count)) {
                    _ = try opener.open(buffer)
                }
                continue
            }
            payloads.append(Array(try opener.open(buffer)))
            buffer = []
        }
        #expect(payloads == [[0], [1], [2]])
        try opener.finish()
    }
}
