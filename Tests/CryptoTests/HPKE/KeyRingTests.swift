import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct KeyRingTests {
    typealias PrivateKey = Curve25519.KeyAgreement.PrivateKey

    private let keys: [PrivateKey]
    private let info = Array("private fields 1".utf8)
    private let place = Array("hosts/42/owner, revision 7".utf8)

    init() throws {
        keys = try (1...4).map {
            try PrivateKey(rawRepresentation: SecretBytes(copying: [UInt8](repeating: $0, count: 32)))
        }
    }

    private func sealed(_ text: String, to key: PrivateKey) throws -> HPKE.SealedValue {
        try HPKE.SealedValue(
            sealing: text.utf8, to: key.publicKey, info: info, authenticating: place,
            random: SecureRandom(.nonce)
        )
    }

    @Test func `p96_ after a rotation old values open, and new ones are sealed to the new key`() throws {
        let before = HPKE.KeyRing(current: keys[0])
        let old = try sealed("old", to: keys[0])
        let after = HPKE.KeyRing(current: keys[1], older: [keys[0]])
        #expect(before.sealingKey == keys[0].publicKey)
        #expect(after.sealingKey == keys[1].publicKey)
        #expect(after.keyIDs == [HPKE.KeyID(of: keys[1].publicKey), HPKE.KeyID(of: keys[0].publicKey)])
        let new = try HPKE.SealedValue(
            sealing: "new".utf8, to: after.sealingKey, info: info, authenticating: place,
            random: SecureRandom(.nonce))
        #expect(try after.open(old, info: info, authenticating: place) == secret("old"))
        #expect(try after.open(new, info: info, authenticating: place) == secret("new"))
        #expect(throws: CryptoError.unknownKey(HPKE.KeyID(of: keys[1].publicKey))) {
            try before.open(new, info: info, authenticating: place)
        }
        // Once the old key is gone its values are gone, and the error says which key is wanted.
        let later = HPKE.KeyRing(current: keys[2], older: [keys[1]])
        #expect(throws: CryptoError.unknownKey(HPKE.KeyID(of: keys[0].publicKey))) {
            try later.open(old, info: info, authenticating: place)
        }
    }

    @Test func `p95_ each key is found wherever it stands in the ring`() throws {
        for index in keys.indices {
            let value = try sealed("\(index)", to: keys[index])
            let ring = HPKE.KeyRing(current: keys[3], older: Array(keys[..<3]))
            #expect(try ring.open(value, info: info, authenticating: place) == secret("\(index)"))
        }
    }

    @Test func `p95_ an id that differs in any bit is unknown, and named`() throws {
        let ring = HPKE.KeyRing(current: keys[0], older: [keys[1]])
        let value = try sealed("x", to: keys[0])
        for index in 0..<HPKE.KeyID.byteCount {
            for bit in UInt8(0)..<8 {
                let other = try HPKE.SealedValue(combined: value.combined.flipping(index, bit: bit))
                #expect(other.keyID != value.keyID)
                #expect(throws: CryptoError.unknownKey(other.keyID)) {
                    try ring.open(other, info: info, authenticating: place)
                }
            }
        }
        let unknown = CryptoError.unknownKey(HPKE.KeyID(of: keys[2].publicKey))
        #expect(unknown.description.contains(HPKE.KeyID(of: keys[2].publicKey).description))
    }

    @Test func `p95_ ids are bound: the id of another key in the ring opens nothing`() throws {
        let ring = HPKE.KeyRing(current: keys[0], older: [keys[1]])
        let value = try sealed("x", to: keys[0])
        let moved = try HPKE.SealedValue(
            combined: HPKE.KeyID(of: keys[1].publicKey).bytes + value.combined.dropFirst(HPKE.KeyID.byteCount)
        )
        #expect(throws: CryptoError.authenticationFailed) {
            try ring.open(moved, info: info, authenticating: place)
        }
    }

    @Test func `p91_ p92_ p93_ a value in another place, of another version, changed or cut does not open`()
        throws
    {
        let ring = HPKE.KeyRing(current: keys[0])
        let value = try sealed("owner", to: keys[0])
        #expect(throws: CryptoError.authenticationFailed) {
            try ring.open(value, info: info, authenticating: "hosts/43/owner, revision 7".utf8)
        }
        #expect(throws: CryptoError.authenticationFailed) {
            try ring.open(value, info: "private fields 2".utf8, authenticating: place)
        }
        for index in HPKE.KeyID.byteCount..<value.combined.count {
            // The topmost bit of the encapsulated key is ignored by X25519, but bound by the key schedule.
            let changed = try HPKE.SealedValue(combined: value.combined.flipping(index, bit: 7))
            #expect(throws: CryptoError.authenticationFailed, "byte \(index)") {
                try ring.open(changed, info: info, authenticating: place)
            }
        }
        for count in 0..<value.combined.count {
            let cut = value.combined.prefix(count)
            if count < 64 {
                #expect(throws: CryptoError.byteCount(of: .sealedValue, count)) {
                    try HPKE.SealedValue(combined: cut)
                }
            } else {
                #expect(throws: CryptoError.authenticationFailed) {
                    try ring.open(HPKE.SealedValue(combined: cut), info: info, authenticating: place)
                }
            }
        }
    }

    @Test func `a sealed value reads back as it was written, and an empty one too`() throws {
        let ring = HPKE.KeyRing(current: keys[0])
        for text in ["", "owner"] {
            let value = try sealed(text, to: keys[0])
            #expect(value.combined.count == 64 + text.utf8.count)
            #expect(try HPKE.SealedValue(combined: value.combined) == value)
            #expect(try ring.open(value, info: info, authenticating: place) == secret(text))
        }
        #expect(HPKE.KeyID(of: keys[0].publicKey).description.count == 32)
    }
}
