import PDCrypto

/// Bytes that somebody signed, with the detached signatures over them. Nothing of what they say is read before a trusted
/// key's signature was found good.
public struct SignedStatement: Equatable, Sendable {
    /// Why a statement is not believed.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// Nobody who is trusted for it signed it.
        case signature(OpenPGP.Error)
        /// It was signed, but is not what it should be.
        case content(StatementError)

        /// One line for people.
        public var description: String {
            switch self {
            case .signature(let error): "the signature is not accepted: \(error)"
            case .content(let error): "the signed text is not accepted: \(error)"
            }
        }
    }

    /// The signed bytes.
    public let bytes: [UInt8]
    /// OpenPGP signatures over them, binary or armored.
    public let signature: [UInt8]

    /// A statement as it came.
    public init(bytes: [UInt8], signature: [UInt8]) {
        self.bytes = bytes
        self.signature = signature
    }

    /// The release that this describes.
    ///
    /// - Parameters:
    ///   - verifier: the keys that may sign releases.
    ///   - now: the time at which keys and signatures must hold.
    public func manifest(
        verifiedBy verifier: OpenPGP.Verifier, at now: OpenPGP.Timestamp
    ) throws(Failure) -> Manifest {
        try check(verifier, .manifest, now)
        do throws(StatementError) {
            return try Manifest(json: bytes)
        } catch { throw .content(error) }
    }

    /// The order that this gives. Its kind is not known before it is verified, so that both verifiers are needed.
    ///
    /// - Parameters:
    ///   - patches: the keys that may sign patches.
    ///   - commands: the keys that may sign one-time commands.
    ///   - now: the time at which keys and signatures must hold.
    public func order(
        patches: OpenPGP.Verifier, commands: OpenPGP.Verifier, at now: OpenPGP.Timestamp
    ) throws(Failure) -> OrderStatement {
        let mayPatch = Result { () throws(Failure) in try check(patches, .order, now) }
        let mayCommand = Result { () throws(Failure) in try check(commands, .order, now) }
        // One of them must trust the signer before a byte is read as an order.
        if case .failure(let reason) = mayPatch, case .failure(let other) = mayCommand {
            // Who is trusted for one of them wants to know what is wrong with the signature.
            if case .signature(.unknownSigner) = other { throw reason }
            throw other
        }
        let order: OrderStatement
        do throws(StatementError) {
            order = try OrderStatement(json: bytes)
        } catch { throw .content(error) }
        switch order.kind {
        case .files: try mayPatch.get()
        case .command: try mayCommand.get()
        }
        return order
    }

    /// What the fleet's server says of its keys.
    ///
    /// - Parameters:
    ///   - server: the server's key as the machine knows it.
    ///   - now: the time at which key and signature must hold.
    public func keys(
        verifiedBy server: OpenPGP.Certificate, at now: OpenPGP.Timestamp
    ) throws(Failure) -> KeyStatement {
        try check(OpenPGP.Verifier(certificates: [server]), .keys, now)
        do throws(StatementError) {
            return try KeyStatement(json: bytes)
        } catch { throw .content(error) }
    }

    private func check(
        _ verifier: OpenPGP.Verifier, _ purpose: Purpose, _ now: OpenPGP.Timestamp
    ) throws(Failure) {
        do throws(OpenPGP.Error) {
            _ = try verifier.verifyRelease(signatures: signature, of: bytes, for: purpose, at: now)
        } catch { throw .signature(error) }
    }
}
