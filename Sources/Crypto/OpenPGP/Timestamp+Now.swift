#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension OpenPGP.Timestamp {
    /// The time by the clock of this machine.
    public static func now() -> OpenPGP.Timestamp {
        OpenPGP.Timestamp(Int64(time(nil)))
    }
}
