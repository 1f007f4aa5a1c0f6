import CGcrypt
import PDSecrets

/// The library underneath, initialised once and in the order that its manual demands
/// (libgcrypt manual, section 2.4 "Initializing the library").
///
/// Every entry point of this module that calls into libgcrypt first touches ``ready()``.
public enum Libgcrypt {
    /// The oldest version whose functions this module calls.
    static let minimumVersion = "1.10.0"

    private static let initialisation: Result<Void, CryptoError> = {
        // Another part of the process may have finished the initialisation: doing it again is an error.
        let isFirst = pd_gcry_is_initialized() == 0
        if isFirst {
            // First: the allocation handler has the library choose its generator.
            pd_gcry_use_system_random()
            LibraryHeap.install()
        }
        guard gcry_check_version(minimumVersion) != nil else {
            let found = gcry_check_version(nil).map { String(cString: $0) } ?? "none"
            return .failure(.libraryTooOld(found: found, needed: minimumVersion))
        }
        guard isFirst else { return .success(()) }
        let error = pd_gcry_initialization_finished()
        return error == 0 ? .success(()) : .failure(.library(code: error))
    }()

    /// Makes the library usable; cheap after the first call, and safe from any thread.
    package static func ready() throws(CryptoError) {
        try initialisation.get()
    }

    /// Whether secrets can be kept out of swap: false where the system refused to lock one of this process's
    /// (`ulimit -l`, systemd's `LimitMEMLOCK=`). They are then still wiped after use, and programs that hold keys should
    /// say so when they start.
    public static var secureMemoryIsLocked: Bool {
        get throws(CryptoError) {
            try ready()
            return SecretBytes(count: 1).isLocked && !SecretBytes.lockWasRefused
        }
    }
}
