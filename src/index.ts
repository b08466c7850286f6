/**
 * heartmind, the pure part: runs in Node, browsers and workers alike. In the order in which data flow:
 * recordings → windows → patches → encoders → fusion → head → scores → report.
 */

// core: what everything speaks
export { type ByteSource, blobSource, bytesSource, checkRange, isGzip } from './core/bytes.ts';
export * from './core/errors.ts';
export type { ByteFolder } from './core/folder.ts';
export { type GunzipOptions, gunzipSource } from './core/gunzip.ts';
export { Random, type RandomState } from './core/random.ts';
export type { Annotation, Channel, Recording, Span } from './core/recording.ts';
export { type StreamOptions, streamSource } from './core/streams.ts';
export {
  type DType,
  float32,
  scalar,
  type Tensor,
  type Tensors,
  tensor,
  zeros,
} from './core/tensor.ts';
export { microvolts, unitFactor } from './core/units.ts';
// datasets: files of many people, labelled, split by subject
export {
  type DatasetSpec,
  describeFolder,
  type Label,
  type LoadOptions,
  loadWindows,
  type PublishedDataset,
  type Trial,
} from './datasets/dataset.ts';
export type { DatasetFacts } from './datasets/facts.ts';
export { assertDisjoint, type Fold, kFoldBySubject, leaveOneSubjectOut } from './datasets/folds.ts';
export { labelledFiles } from './datasets/labelled-files.ts';
export { readLudbWaves, type Wave } from './datasets/ludb.ts';
export { type Preparer, type PrepareStoreOptions, prepareStore } from './datasets/prepare-store.ts';
export { datasets, findDataset } from './datasets/registry.ts';
export { type Diagnosis, diagnoses } from './datasets/snomed.ts';
export { type Targets, targetKinds, targetsOf } from './datasets/targets.ts';
// metrics and evaluate: predictions → scores → report
export { baselineFeatures, runClassical, runTrivial } from './evaluate/baselines.ts';
export { explainRecording } from './evaluate/explain.ts';
export { renderExplanation } from './evaluate/explain-page.ts';
export { type Explanation, encodeExplanation } from './evaluate/explain-result.ts';
export { type FinetuneScore, type FinetuneScoreOptions, scoreFinetuned } from './evaluate/finetune-score.ts';
export { evaluateModel } from './evaluate/finished-model.ts';
export { type ProbeOptions, type ProbeResult, runProbe } from './evaluate/probe.ts';
export { type ComparedProbe, compareProbes, type ProbeComparison } from './evaluate/probe-comparison.ts';
export {
  type ProbedEncoder,
  type ProbeFeatureOptions,
  probeFeatures,
  takeChannels,
} from './evaluate/probe-features.ts';
export { describeProtocol, type Protocol, planFolds, type WindowFold } from './evaluate/protocol.ts';
export { renderReport } from './evaluate/report.ts';
export { parseResult, type Result, type ScoreInterval } from './evaluate/result.ts';
export { formatScore, type ShownSpread, spreadOf } from './evaluate/score-spread.ts';
export { parseStudyRecipe, runEvaluation, runStudy, type StudyRecipe } from './evaluate/study.ts';
// graph: ONNX as data, differentiated
export { differentiate } from './graph/differentiate.ts';
export { Graph, type Value } from './graph/ir.ts';
export * as losses from './graph/losses.ts';
export { decodeOnnx, encodeOnnx } from './graph/onnx.ts';
export * as operators from './graph/operators.ts';
export { adamW, clipByGlobalNorm } from './graph/optimizers.ts';
export { printGraph } from './graph/print.ts';
export { bootstrapAll, bootstrapDifference, type Interval, subjectBootstrap } from './metrics/bootstrap.ts';
export { confusionMatrix } from './metrics/confusion.ts';
export { cohenDz, type HodgesLehmann, hodgesLehmann, rankBiserial } from './metrics/effect-size.ts';
export { holm } from './metrics/holm.ts';
export { type PermutationTest, signFlipTest } from './metrics/permutation.ts';
export { auroc, averagePrecision, rocCurve } from './metrics/ranking.ts';
export {
  type AbstentionGoal,
  chooseThreshold,
  type RiskCoverage,
  riskCoverage,
} from './metrics/risk-coverage.ts';
export { type ScoreName, type Scores, scoreAll, scoreNames } from './metrics/scores.ts';
export { applyTemperature, fitTemperature, type TemperatureScaling } from './metrics/temperature.ts';
export { type VarianceComponents, varianceComponents } from './metrics/variance.ts';
export { type Wilcoxon, wilcoxon } from './metrics/wilcoxon.ts';
// model: CBraMod, fusion, head
export { type AttentionMaps, attentionMaps, rolloutAttention } from './model/attention.ts';
export { type EncoderConfig, encoderConfig, type ModelConfig, parseModelConfig } from './model/config.ts';
export { initialEncoder } from './model/encoder-parameters.ts';
export { type EncoderSize, exportEncoder, exportModel } from './model/export.ts';
export { type LiveEntry, type LiveOptions, LivePredictor } from './model/live.ts';
export { decodeModel, encodeModel, type TrainedModel } from './model/model-file.ts';
export type { InferenceOptions, InferencePrecision } from './model/precision.ts';
export { Embedder, type Embeddings, Predictor } from './model/predict.ts';
export {
  parseReleasedIndex,
  type ReleasedIndex,
  type ReleasedWeights,
  verifyReleased,
} from './model/released-weights.ts';
export { decodeSafetensors, encodeSafetensors } from './model/safetensors.ts';
export { type Timeline, type TimelineEntry, TimelinePredictor } from './model/timeline.ts';
export { type EncoderWeights, loadEncoderWeights } from './model/weights.ts';
// patches: Recording → windows
export { contextSpan, signalSeconds } from './patches/context.ts';
export { type LiveWindow, LiveWindows } from './patches/live-windows.ts';
export { drawMask, type MaskKind, type MaskRecipe, maskKinds } from './patches/mask.ts';
export { type PreparedRecording, prepareRecording } from './patches/prepare.ts';
export {
  eegmatRecipe,
  eegRecipe,
  parseRecipe,
  type Recipe,
  twelveLeadRecipe,
  twelveLeads,
} from './patches/recipe.ts';
export { type RecordingWindowsOptions, recordingWindows } from './patches/recording-windows.ts';
export type { SampleType, StoreInfo } from './patches/store-format.ts';
export { epochOrder, type OrderOptions } from './patches/store-order.ts';
export type { StoreFiles, StorePlace } from './patches/store-place.ts';
export type { PlannedTrial, StorePlan } from './patches/store-plan.ts';
export { urlFiles } from './patches/store-url.ts';
export { openStoreWindows, type StoreWindows, type StoreWindowsOptions } from './patches/store-windows.ts';
export { StoreWriter, type TrialPiece } from './patches/store-writer.ts';
export { causalRecipe, type LiveChannel, type PreparedChunk, StreamPreparer } from './patches/stream.ts';
export {
  asReader,
  concatReaders,
  type FarWindows,
  type WindowBatch,
  type WindowIndex,
  type WindowReader,
  type WindowStream,
} from './patches/window-reader.ts';
export { concatWindowSets, selectWindows, WindowSetBuilder } from './patches/window-set.ts';
export type { Dropped, Modality, SignalWindows, WindowSet } from './patches/windows.ts';
export { type EdfChannel, type EdfContent, encodeEdf, writeBdf, writeEdf } from './read/edf/write.ts';
export { openEeglab } from './read/eeglab/eeglab.ts';
export { type Hdf5Dataset, type Hdf5File, type Hdf5Range, openHdf5 } from './read/hdf5/hdf5.ts';
export type { HdfValues } from './read/hdf5/values.ts';
export type { LivePiece, LiveSource } from './read/live/live.ts';
export { type PipeOptions, type PipeType, pipeSource } from './read/live/pipe.ts';
export type { MatEntry, MatFile, MatPart, MatReadOptions, MatVariable } from './read/mat/file.ts';
export { openMat } from './read/mat/mat.ts';
export type { MatDecision, MatHeader, MatSelect } from './read/mat/select.ts';
export { fieldOf, type MatValue, numberOf, numbersOf, textOf } from './read/mat/values.ts';
export { encodeNpz } from './read/numpy/npz.ts';
export { decodeNumpyPickle, type NumpyArray, type NumpyValue } from './read/numpy/numpy-pickle.ts';
export { openRecording } from './read/open.ts';
// read: bytes → Recording
export type { ReadOptions } from './read/options.ts';
export { type ChannelRange, readChannels } from './read/read-channels.ts';
export type { UrlOptions } from './read/url-client.ts';
export { readWfdbAnnotations, type WfdbAnnotation } from './read/wfdb/annotations.ts';
export { writeWfdb } from './read/wfdb/write.ts';
export { type WriteFileOptions, type Writer, writeRecording, writers } from './read/write.ts';
export { openXdf, type XdfFile, type XdfStream } from './read/xdf/xdf.ts';
// runtime: graph → numbers
export type { Backend, CompileOptions, Device, Feeds, Program } from './runtime/backend.ts';
// signal: numbers → numbers, as SciPy
export {
  type ArtefactName,
  type ArtefactOptions,
  artefactRules,
  findArtefacts,
  type WindowArtefacts,
} from './signal/artefacts.ts';
export { badChannelRules, type ChannelVerdict, findBadChannels } from './signal/artefacts-channels.ts';
export {
  type BlinkRemoval,
  type HeartRemoval,
  removeBlinks,
  removeHeart,
} from './signal/artefacts-remove.ts';
export { type BandPowers, type Bands, bandPowers, eegBands } from './signal/band-powers.ts';
export { detectBeats, measureBeatContrast } from './signal/beats.ts';
export { type BeatMatch, type MatchOptions, matchBeats } from './signal/beats-match.ts';
export { electrodeNames, electrodePosition, electrodes1020, type Position } from './signal/electrodes.ts';
export { fft, irfft, rfft } from './signal/fft.ts';
export { sosFilter, sosFiltFilt } from './signal/filter.ts';
export { butterworth, notch, type Sos } from './signal/filter-design.ts';
export { beatsBetween, heartRate, type Variability, variability } from './signal/heart.ts';
export { hrvPoincare, hrvTime, type Poincare, sampleEntropy, type TimeDomain } from './signal/hrv.ts';
export {
  type FrequencyDomain,
  type FrequencyOptions,
  hrvBands,
  hrvFrequency,
} from './signal/hrv-frequency.ts';
export { beatIntervals, type IntervalOptions, type Intervals } from './signal/hrv-intervals.ts';
export { interpolateChannels, splineWeights } from './signal/interpolate.ts';
export { checkQuality, type Quality } from './signal/quality.ts';
export {
  averageReference,
  doubleBanana,
  linkedEars,
  type Rereferenced,
  rereference,
  transverseMontage,
} from './signal/reference.ts';
export { resample, resampleFourier, resamplePolyphase } from './signal/resample.ts';
export { RingBuffer } from './signal/ring-buffer.ts';
export { type Selection, selectRecording } from './signal/select.ts';
export { bandPower, welch } from './signal/spectrum.ts';
export {
  RunningStandardiser,
  type Standardised,
  standardiseByTraining,
  standardiseCausally,
  standardisePerSubject,
} from './signal/standardise.ts';
export { StreamBridge, StreamResampler } from './signal/stream.ts';
// train: windows → weights
export type { Checkpoint, CheckpointStore } from './train/checkpoint.ts';
export { dealJobs } from './train/distributed.ts';
export { type FinetuneOptions, type FinetuneResult, finetune } from './train/finetune.ts';
export type { Curves, MetricsLog, TrainingOptions, TrainingTask } from './train/loop.ts';
export { train } from './train/loop.ts';
export { encodePretrained, type PretrainOptions, type PretrainResult, pretrain } from './train/pretrain.ts';
export { createProgress, type Progress, type ProgressMode } from './train/progress.ts';
export type { Ranks } from './train/ranks.ts';
export {
  type FinetuneRecipe,
  type PretrainRecipe,
  parseFinetuneRecipe,
  parsePretrainRecipe,
} from './train/recipe.ts';
