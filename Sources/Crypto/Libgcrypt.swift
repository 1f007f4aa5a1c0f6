import CGcrypt

/// The library underneath, initialised once and in the order that its manual demands
/// (libgcrypt manual, section 2.4 "Initializing the library").
///
/// Every entry point of this module that calls into libgcrypt first touches ``ready()``.
enum Libgcrypt {
    /// The oldest version whose functions this module calls.
    static let minimumVersion = "1.10.0"

    /// Secure memory reserved at start, in bytes. The pool grows when it runs out.
    static let secureMemoryBytes: UInt32 = 65_536

    private static let initialisation: Result<Void, CryptoError> = {
        guard gcry_check_version(minimumVersion) != nil else {
            let found = gcry_check_version(nil).map { String(cString: $0) } ?? "none"
            return .failure(.libraryTooOld(found: found, needed: minimumVersion))
        }
        // Another part of the process may have finished the initialisation: doing it again is an error.
        if pd_gcry_is_initialized() == 0 {
            _ = pd_gcry_suspend_secmem_warn()
            var error = pd_gcry_init_secmem(secureMemoryBytes)
            if error == 0 { error = pd_gcry_auto_expand_secmem(secureMemoryBytes) }
            _ = pd_gcry_resume_secmem_warn()
            if error == 0 { error = pd_gcry_initialization_finished() }
            guard error == 0 else { return .failure(.library(code: error)) }
        }
        return .success(())
    }()

    /// Makes the library usable; cheap after the first call, and safe from any thread.
    static func ready() throws(CryptoError) {
        try initialisation.get()
    }
}
