import CGcrypt
import PDSecrets

/// The library underneath, initialised once and in the order that its manual demands
/// (libgcrypt manual, section 2.4 "Initializing the library").
///
/// Every entry point of this module that calls into libgcrypt first touches ``ready()``.
public enum Libgcrypt {
    /// The oldest version whose functions this module calls.
    static let minimumVersion = "1.10.0"

    /// Secure memory reserved and locked at start, in bytes. When it runs out, libgcrypt adds pools that are wiped
    /// like the first one but not locked; failing an operation for want of locked memory would be worse.
    static let secureMemoryBytes: UInt32 = 65_536

    /// What the first call found out, for all later ones.
    private struct State: Sendable {
        var secureMemoryIsLocked: Bool
    }

    private static let initialisation: Result<State, CryptoError> = {
        guard gcry_check_version(minimumVersion) != nil else {
            let found = gcry_check_version(nil).map { String(cString: $0) } ?? "none"
            return .failure(.libraryTooOld(found: found, needed: minimumVersion))
        }
        // Another part of the process may have finished the initialisation: doing it again is an error, and what
        // became of its secure memory is not known.
        guard pd_gcry_is_initialized() == 0 else { return .success(State(secureMemoryIsLocked: false)) }
        // Without this libgcrypt writes "Warning: using insecure memory!" to standard error when it adds a pool, which
        // tells a user nothing that helps. What could not be locked is told by `secureMemoryIsLocked` and
        // `SecretBytes.isLocked`; the answer of the next call is the same with and without warnings.
        _ = pd_gcry_disable_secmem_warn()
        let isLocked = pd_gcry_init_secmem(secureMemoryBytes) == 0
        var error = pd_gcry_auto_expand_secmem(secureMemoryBytes)
        if error == 0 { error = pd_gcry_initialization_finished() }
        guard error == 0 else { return .failure(.library(code: error)) }
        return .success(State(secureMemoryIsLocked: isLocked))
    }()

    /// Makes the library usable; cheap after the first call, and safe from any thread.
    static func ready() throws(CryptoError) {
        _ = try initialisation.get()
    }

    /// Whether the first pool of secure memory is locked, so that no secret in it reaches the swap device.
    ///
    /// False where the process may not lock 64 KiB (`ulimit -l`, systemd's `LimitMEMLOCK=`). Secrets are then still
    /// wiped after use, and programs that hold keys should say so when they start.
    public static var secureMemoryIsLocked: Bool {
        get throws(CryptoError) { try initialisation.get().secureMemoryIsLocked }
    }
}
