class VisionDataset:
    """Base class of image data sets that Streaming defines as it is imported."""
