/// The limits of what is not built with this target.
public enum Manifest { public static let fileLimit = 10_000 }
/// The limits of what is not built with this target.
public enum SignedFile { public static let sizeLimit = 1 << 30 }
