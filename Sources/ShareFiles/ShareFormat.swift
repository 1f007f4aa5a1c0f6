/// The formats of shares.
package enum ShareFormat: String, CaseIterable, Sendable {
    /// docs/share-format.md: text, checked, bound to its set.
    case native
    /// libgfshare's bare bytes in STEM.NNN.
    case gfshare
}
