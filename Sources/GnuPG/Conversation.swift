import CGPGME
import Glibc
import PDCrypto

extension GnuPG {
    /// What gpg asks and reports while it works on one operation, in the thread of that operation.
    final class Conversation {
        private let passphrase: Passphrase
        private var isAnswered = false
        /// What the caller's answer lacked, which says more than what gpg makes of it.
        private var fault: Error?
        /// The cause that gpg gives for its failure: of several that led to it, gpgme returns the last.
        private var failure: gpgme_error_t = 0

        init(_ passphrase: Passphrase) {
            self.passphrase = passphrase
        }

        /// Runs `operation` with `context` reporting to this object.
        func during(
            _ context: borrowing Context, _ operation: () -> gpgme_error_t
        ) throws(Error) {
            let own = Unmanaged.passUnretained(self).toOpaque()
            try Context.check(gpgme_set_ctx_flag(context.handle, "full-status", "1"))
            gpgme_set_status_cb(
                context.handle,
                { own, keyword, arguments in
                    if let own, let keyword, let arguments, strcmp(keyword, "FAILURE") == 0 {
                        Unmanaged<Conversation>.fromOpaque(own).takeUnretainedValue()
                            .noteFailure(String(cString: arguments))
                    }
                    return 0
                }, own)
            if case .provided = passphrase {
                try Context.check(gpgme_set_pinentry_mode(context.handle, GPGME_PINENTRY_MODE_LOOPBACK))
                gpgme_set_passphrase_cb(
                    context.handle,
                    { own, _, _, previousWasBad, file in
                        guard let own else { return gpgme_err_make(GPG_ERR_SOURCE_USER_1, GPG_ERR_INTERNAL) }
                        return Unmanaged<Conversation>.fromOpaque(own).takeUnretainedValue()
                            .answer(to: file, previousWasBad: previousWasBad != 0)
                    }, own)
            }
            let error = withExtendedLifetime(self) { operation() }
            guard error != 0 else { return }
            throw fault ?? Error(failure == 0 ? error : failure)
        }

        /// Notes the arguments of a status line `FAILURE place code` (doc/DETAILS of GnuPG).
        private func noteFailure(_ arguments: String) {
            guard failure == 0, let code = arguments.split(separator: " ").last.flatMap({ UInt32($0) }) else {
                return
            }
            failure = code
        }

        private func answer(to file: CInt, previousWasBad: Bool) -> gpgme_error_t {
            let cancel = gpgme_err_make(GPG_ERR_SOURCE_USER_1, GPG_ERR_CANCELED)
            // The answer would be the same: nothing is gained by giving it twice.
            guard !previousWasBad, !isAnswered else {
                fault = .badPassphrase
                return cancel
            }
            isAnswered = true
            guard case .provided(let provide) = passphrase, let secret = provide() else {
                fault = .cancelled
                return cancel
            }
            return secret.withUnsafeBytes { bytes in
                guard !bytes.isEmpty, !bytes.contains(where: { $0 == 0 || $0 == 0x0a || $0 == 0x0d }) else {
                    fault = .unsuitablePassphrase
                    return cancel
                }
                guard gpgme_io_writen(file, bytes.baseAddress, bytes.count) == 0,
                    gpgme_io_writen(file, "\n", 1) == 0
                else { return gpgme_err_make_from_errno(GPG_ERR_SOURCE_USER_1, errno) }
                return 0
            }
        }
    }
}
