import CGPGME
import PDCrypto

extension GnuPG {
    /// Signs with a key that a person holds, through gpg-agent.
    ///
    /// Every signature is verified before it is handed out, so that whatever `gpg.conf` says (SHA-1, text mode, further
    /// signers), nothing leaves that a verifier of PenguinDome would refuse.
    public struct Signer: OpenPGP.DetachedSigner {
        /// The signer's certificate, as it was in the keyring when this value was made.
        public let certificate: OpenPGP.Certificate
        private let home: Home
        private let passphrase: Passphrase

        /// - Parameter fingerprint: of the primary key; gpg chooses among its subkeys.
        public init(
            _ fingerprint: OpenPGP.Fingerprint, in home: Home, passphrase: Passphrase = .askedByAgent
        ) throws(Error) {
            certificate = try home.certificate(fingerprint)
            self.home = home
            self.passphrase = passphrase
        }

        /// A binary detached signature of `document`, dated by the clock of this machine.
        ///
        /// Waits for the person whom gpg-agent asks.
        public func detachedSignature(
            of document: some Collection<UInt8>, for purpose: Purpose, at now: OpenPGP.Timestamp
        ) throws(Error) -> [UInt8] {
            guard (0...Int64(UInt32.max)).contains(now.seconds) else {
                throw .unusableKey(.unsuitableTimeOrName)
            }
            if let problem = certificate.problem(at: now) { throw .unusableKey(problem) }
            let document = Array(document)
            let start = ContinuousClock.now
            let signature = try sign(document, purpose)
            // A person who searched a while for the card has not made a signature of the future.
            let waited = (ContinuousClock.now - start).components.seconds
            do throws(OpenPGP.Error) {
                // gpg.conf can ask for armor, too.
                let signature = try OpenPGP.Armor.unwrap(
                    signature, kind: .signature, limit: OpenPGP.Verifier.sizeLimit)
                _ = try OpenPGP.Verifier(certificates: [certificate])
                    .verify(
                        signature: signature, of: document, for: purpose,
                        at: OpenPGP.Timestamp(now.seconds + waited))
                return signature
            } catch {
                throw .refusedSignature(error)
            }
        }

        private func sign(_ document: [UInt8], _ purpose: Purpose) throws(Error) -> [UInt8] {
            let fingerprint = certificate.fingerprint
            let context = try Context(home)
            guard let key = try context.key(fingerprint.description) else { throw .noSuchKey(fingerprint) }
            try Context.check(gpgme_signers_add(context.handle, key.handle))
            try Context.check(
                gpgme_sig_notation_add(
                    context.handle, Purpose.notationName, purpose.rawValue,
                    gpgme_sig_notation_flags_t(GPGME_SIG_NOTATION_HUMAN_READABLE)))
            let output = try Output()
            let (handle, result) = (context.handle, output.handle)
            try Conversation(passphrase).during(context) {
                document.withUnsafeBytes { bytes in
                    var input: gpgme_data_t?
                    let error = gpgme_data_new_from_mem(
                        &input, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, 0)
                    guard error == 0, let input else { return error }
                    defer { gpgme_data_release(input) }
                    return gpgme_op_sign(handle, input, result, GPGME_SIG_MODE_DETACH)
                }
            }
            return output.bytes()
        }
    }
}
