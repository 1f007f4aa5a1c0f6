/// The limits of what is not built with this target.
public enum Manifest {
    /// As in the room that it stands for.
    public static let fileLimit = 10_000
}

/// The limits of what is not built with this target.
public enum SignedFile {
    /// As in the room that it stands for.
    public static let sizeLimit = 1 << 30
}
