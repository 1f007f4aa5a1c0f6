import Glibc
import PDCrypto

extension OpenPGP.Timestamp {
    /// What the system's clock says, for tests with gpg, which has no other.
    public static func now() -> OpenPGP.Timestamp { OpenPGP.Timestamp(Int64(time(nil))) }
}
