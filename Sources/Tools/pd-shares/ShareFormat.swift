import ArgumentParser

/// The formats of shares.
enum ShareFormat: String, ExpressibleByArgument, CaseIterable {
    /// docs/share-format.md: text, checked, bound to its set.
    case native
    /// libgfshare's bare bytes in STEM.NNN.
    case gfshare
}
