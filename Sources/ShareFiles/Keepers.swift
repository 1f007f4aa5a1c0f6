import PDSecrets
import PDShamir

/// The people at work with shares: who is told things and asked for passphrases. A program answers for them where it
/// has no terminal.
package protocol Keepers {
    /// Says one line.
    func note(_ text: String)
    /// The passphrase of a locked share; nil where its holder is not there. Asked again where it was wrong.
    func passphrase(for share: String, again: Bool) throws(ToolError) -> SecretBytes?
    /// A new passphrase for a share.
    func newPassphrase(for share: String) throws(ToolError) -> SecretBytes
    /// Whether a wrong passphrase is asked for again, and whether only as many are asked as are needed.
    var canBeAskedAgain: Bool { get }
}
