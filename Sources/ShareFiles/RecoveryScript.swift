import PDCrypto
import PDSecrets

/// The script that restores a secret without this program: Python's standard library alone.
package enum RecoveryScript {
    package static let name = "recover.py"
    /// The file itself.
    package static var bytes: [UInt8] { PackageResources.recover_py }
    /// Its SHA-256, for the sheets.
    package static var hash: String { BaseN.hexadecimal.text(SHA256.hash(bytes)) }
}
