import PDCrypto
import PDSecrets

extension GnuPG {
    /// Where the passphrase of a key comes from.
    public enum Passphrase: Sendable {
        /// gpg-agent asks a person, or remembers; the same goes for a card's PIN.
        case askedByAgent
        /// The program knows it: gpg-agent must allow this, as it does unless `no-allow-loopback-pinentry` is set.
        ///
        /// The closure is called when gpg wants the passphrase, and not at all while the agent remembers it; nil
        /// cancels. It must be neither empty nor have a line break or a zero byte in it.
        case provided(@Sendable () -> SecretBytes?)
    }
}
