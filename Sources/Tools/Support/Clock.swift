import PDBasics
import PDCrypto

extension OpenPGP.Timestamp {
    /// What the system's clock says. The core has no clock; a tool reads it once and hands the time on.
    public static func now() -> OpenPGP.Timestamp { OpenPGP.Timestamp(Moment.now().seconds) }
}
