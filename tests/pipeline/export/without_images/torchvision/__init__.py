"""In place of torchvision, which MosaicML Streaming and litdata import for images; no export has any."""
