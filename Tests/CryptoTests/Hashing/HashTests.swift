import Testing

@testable import PDCrypto

@Suite("Hash functions")
struct HashTests {
    @Test("FIPS 180-4 example messages have the digests that NIST published")
    func knownAnswers() {
        #expect(
            SHA256.hash(Array("abc".utf8))
                == hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
        #expect(
            SHA256.hash([]) == hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
        #expect(
            DigestState.hash(Array("abc".utf8), .sha384)
                == hex(
                    """
                    cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed
                    8086072ba1e7cc2358baeca134c825a7
                    """))
        #expect(
            DigestState.hash(Array("abc".utf8), .sha512)
                == hex(
                    """
                    ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
                    2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
                    """))
        #expect(
            SHA256.hash([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
                == hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"))
    }

    @Test(
        "Hashing piece by piece gives the digest of the whole", arguments: [0, 1, 63, 64, 65, 127, 128, 200])
    func incremental(split: Int) {
        let message = (0..<200).map { UInt8($0) }
        for algorithm in [DigestState.Algorithm.md5, .sha1, .ripemd160, .sha224, .sha256, .sha384, .sha512] {
            let state = DigestState(algorithm)
            state.update(message[..<split])
            state.update([])
            state.update(message[split...])
            let copy = state.copy()
            let digest = state.digest()
            #expect(digest == DigestState.hash(message, algorithm))
            #expect(digest == DigestState.hash(message[..<split], algorithm, message[split...], []))
            let copied = copy.digest()
            #expect(digest == copied)
            #expect(digest.count == algorithm.byteCount)
        }
        var hash = SHA256()
        hash.update(message[..<split])
        hash.update(message[split...])
        let digest = hash.finalize()
        #expect(digest == SHA256.hash(message))
        #expect(digest.count == SHA256.byteCount)
    }

    @Test("Arrays, slices, raw buffers and scattered bytes hash alike")
    func inputs() {
        let message = Array("the quick brown fox".utf8)
        let expected = SHA256.hash(message)
        #expect(SHA256.hash(([0] + message)[1...]) == expected)
        #expect(message.withUnsafeBytes { SHA256.hash($0) } == expected)
        #expect(SHA256.hash(message.lazy.map { $0 }) == expected)
    }
}
